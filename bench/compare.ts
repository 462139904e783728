// Compares two builds in one run. Every scenario runs against one server and then the other, in an order that alternates
// from round to round, because the speed of a shared machine changes within minutes.
import { usageOf } from "./cpu.ts";
import { median } from "./measure.ts";
import type { Bench } from "./queue-calls.ts";
import { cpuPerCall, figureText, milliseconds, type Row } from "./row.ts";
import { scenarios, warmUp } from "./scenarios.ts";
import type { BenchServer } from "./server.ts";

export interface Build {
  readonly bench: Bench;
  /** Starts another server of the build. */
  start(): Promise<BenchServer>;
}

export interface Builds {
  readonly before: Build;
  readonly after: Build;
}

type Pair = Readonly<Record<keyof Builds, Row>>;

const sides = ["before", "after"] as const;

const head =
  "| measure | before | after | change | CPU per call before: Node + PostgreSQL | after | change: Node, PostgreSQL |\n" +
  "|---|---|---|---|---|---|---|";

/** Prints the medians of both builds; a change is the median of the changes in the individual rounds. */
export async function compare(builds: Builds, rounds: number): Promise<void> {
  for (const side of sides) await warmUp(builds[side].bench);
  const pairs: Pair[][] = [];
  for (let round = 0; round < rounds; round++) {
    const measured: Pair[] = [];
    for (const scenario of scenarios)
      measured.push(...(await onBoth(builds, round, ({ bench }) => scenario(bench, round))));
    measured.push(...(await onBoth(builds, round, startUp)));
    pairs.push(measured);
  }
  console.log(head);
  for (const [i] of (pairs[0] ?? []).entries()) console.log(line(pairs.flatMap((round) => round[i] ?? [])));
  const memory = sides.map((side) => `${Math.round(usageOf(builds[side].bench.serverPid).nodeMemory)} MiB`);
  console.log(`| memory of the Node process after the runs | ${memory.join(" | ")} | | | | |`);
}

async function onBoth(builds: Builds, round: number, run: (build: Build) => Promise<Row[]>): Promise<Pair[]> {
  const rows: Record<keyof Builds, Row[]> = { before: [], after: [] };
  for (const side of round % 2 === 0 ? sides : sides.toReversed()) rows[side] = await run(builds[side]);
  return rows.before.flatMap((before, i) => {
    const after = rows.after[i];
    return after ? [{ before, after }] : [];
  });
}

async function startUp(build: Build): Promise<Row[]> {
  const server = await build.start();
  const { node, postgres } = usageOf(server.pid);
  await server.stop();
  const figure = milliseconds(server.readyMs);
  return [
    {
      measure: "first start (empty home) to the root URL",
      goal: "≤ 5 s",
      result: figureText(figure),
      figure,
      cpu: { node, postgres, load: 0, calls: 1 },
    },
  ];
}

function line(pairs: readonly Pair[]): string {
  const changeOf = (valueOf: (row: Row) => number | undefined): string => {
    const changes = pairs.flatMap(({ before, after }) => {
      const [from, to] = [valueOf(before), valueOf(after)];
      return from !== undefined && to !== undefined && from > 0 ? [to / from - 1] : [];
    });
    return changes.length > 0 ? percent(median(changes)) : "–";
  };
  const figure = (side: keyof Builds): string => {
    const value = median(pairs.map((pair) => pair[side].figure.value));
    return figureText({ value, unit: pairs[0]?.[side].figure.unit ?? "/s" });
  };
  const cpu = (side: keyof Builds): string => {
    const used = cpuPerCall(pairs.map((pair) => pair[side]));
    if (!used) return "–";
    const [node, postgres, unit] =
      used.node < 10_000 ? [used.node, used.postgres, "µs"] : [used.node / 1e3, used.postgres / 1e3, "ms"];
    return `${Math.round(node).toLocaleString("en")} + ${Math.round(postgres).toLocaleString("en")} ${unit}`;
  };
  const cells = [
    pairs[0]?.before.measure,
    figure("before"),
    figure("after"),
    changeOf((row) => row.figure.value),
    cpu("before"),
    cpu("after"),
    pairs[0]?.before.cpu
      ? [changeOf((row) => perCall(row, "node")), changeOf((row) => perCall(row, "postgres"))].join(", ")
      : "–",
  ];
  return `| ${cells.join(" | ")} |`;
}

const perCall = ({ cpu }: Row, key: "node" | "postgres"): number | undefined => cpu && cpu[key] / cpu.calls;

const percent = (share: number): string => `${share < 0 ? "−" : "+"}${Math.abs(share * 100).toFixed(1)}%`;
