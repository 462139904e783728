// The rows of the table of `npm run bench:auth`, in the order in which they are measured.
import { createTemporaryCredentials, slugid, type Client } from "../src/client/index.ts";
import type { Credentials } from "./client.ts";
import { clientIdOf, clientToken, repoRoleOf, scopesOfClient, type Directory } from "./fill-directory.ts";
import { around, measure, percentile, type Measured } from "./measure.ts";
import { create, type Bench } from "./queue-calls.ts";
import { figureText, milliseconds, rate, type Row } from "./row.ts";
import { benchTask } from "./tasks.ts";

export interface AuthBench extends Bench {
  /** Changes clients and roles. */
  readonly admin: Client;
  readonly directory: Directory;
}

/** How many clients sign requests alternately. */
const SIGNERS = 500;
const WIDTH = 32;

const credentialsOf = (n: number): Credentials => ({ clientId: clientIdOf(n), accessToken: clientToken });
const inAYear = (): string => new Date(Date.now() + 365 * 86_400_000).toISOString();
const texts = (latencies: readonly number[], ...shares: number[]): string =>
  shares.map((share) => figureText(milliseconds(percentile(latencies, share)))).join(" / ");

/** Returns the sum of measurements, without their latencies. */
const sumOf = (all: readonly Measured[]): Measured => {
  const sum = (of: (m: Measured) => number): number => all.reduce((total, m) => total + of(m), 0);
  const cpu = {
    node: sum((m) => m.cpu.node),
    postgres: sum((m) => m.cpu.postgres),
    load: sum((m) => m.cpu.load),
  };
  return { calls: sum((m) => m.calls), seconds: sum((m) => m.seconds), latencies: [], cpu };
};

const newClient = async ({ admin }: AuthBench, scopes: readonly string[]): Promise<Credentials> => {
  const clientId = `bench/new-${slugid()}`;
  const { accessToken } = await admin.auth.createClient(
    { clientId },
    { scopes: [...scopes], expires: inAYear(), description: "" },
  );
  return { clientId, accessToken };
};

/** Returns the path of the status of a new task, which callers without credentials may read too. */
async function statusPath(b: AuthBench): Promise<string> {
  const task = benchTask("bench/auth");
  await create(b, task);
  return `/api/queue/v1/task/${task.taskId}/status`;
}

/** Measures the calls in short slices, alternately, so that all of them run on an equally busy machine. */
async function alternately(
  b: AuthBench,
  calls: number,
  each: readonly ((i: number) => Promise<unknown>)[],
): Promise<Measured[]> {
  const slices = each.map((): Measured[] => []);
  for (let slice = 0; slice < 5; slice++)
    for (const [i, call] of each.entries())
      slices[i]?.push(await measure(b.serverPid, Math.ceil((calls / 5) * b.scale), WIDTH, call));
  return slices.map(sumOf);
}

/** Reads a status with signatures of several kinds. */
async function signatures(b: AuthBench): Promise<Row[]> {
  const path = await statusPath(b);
  const bare = await newClient(b, []);
  const temporary = await createTemporaryCredentials({
    credentials: credentialsOf(0),
    scopes: scopesOfClient(0, b.directory),
    expiry: Date.now() + 3_600_000,
  });
  const kinds: readonly [string, string, (i: number) => Credentials | null][] = [
    ["unsigned", "–", () => null],
    ["signed by a client without roles", "< 150 µs of Node more", () => bare],
    ["signed by clients with roles", "< 1 ms of Node more", (i) => credentialsOf(i % SIGNERS)],
    ["signed with temporary credentials", "< 150 µs of Node more", () => temporary],
  ];
  const measured = await alternately(
    b,
    10_000,
    kinds.map(
      ([, , as]) =>
        (i) =>
          b.client.send("GET", path, undefined, as(i)),
    ),
  );
  const nodeOf = (i: number): number => ((measured[i]?.cpu.node ?? 0) / (measured[i]?.calls ?? 1)) * 1e6;
  return kinds.flatMap(([name, goal], i) => {
    const m = measured[i];
    if (m === undefined) return [];
    const more = Math.round(nodeOf(i) - nodeOf(0));
    const result = figureText(rate(m)) + (i === 0 ? "" : `, ${more < 0 ? "" : "+"}${more} µs`);
    return [
      { measure: `GET status, ${name}`, goal, result, figure: rate(m), cpu: { ...m.cpu, calls: m.calls } },
    ];
  });
}

/** Changes a role, and makes the first request of a client that has it. */
async function afterChange(b: AuthBench): Promise<Row[]> {
  const path = await statusPath(b);
  const all = await newClient(b, ["assume:repo:*"]);
  const rows: Row[] = [];
  for (const [name, as] of [
    ["two roles", credentialsOf(0)],
    [`${b.directory.parameterized.toLocaleString("en")} roles`, all],
  ] as const) {
    const requests: Measured[] = [];
    for (let i = 0; i < Math.ceil(30 * b.scale); i++) {
      await b.admin.auth.updateRole(
        { roleId: repoRoleOf(0) },
        { scopes: [`${slugid()}:<..>`], description: "" },
      );
      requests.push(await measure(b.serverPid, 1, 1, () => b.client.send("GET", path, undefined, as)));
    }
    const latencies = requests.flatMap((request) => request.latencies).sort((x, y) => x - y);
    const { cpu, calls } = sumOf(requests);
    rows.push({
      measure: `first request after a change, by a client with ${name}, p50 / max`,
      goal: "< 20 ms",
      result: texts(latencies, 0.5, 1),
      figure: milliseconds(percentile(latencies, 0.5)),
      cpu: { ...cpu, calls },
    });
  }
  return rows;
}

/** Reads with and without ten changes per second. */
async function duringChanges(b: AuthBench): Promise<Row[]> {
  const path = await statusPath(b);
  const read = (): Promise<Measured> =>
    measure(b.serverPid, Math.ceil(12_000 * b.scale), WIDTH, (i) =>
      b.client.send("GET", path, undefined, credentialsOf(i % SIGNERS)),
    );
  const slices: Record<"still" | "changing", Measured[]> = { still: [], changing: [] };
  let changes = 0;
  for (let slice = 0; slice < 4; slice++) {
    slices.still.push(await read());
    const stop = changeTenTimesPerSecond(b);
    slices.changing.push(await read());
    changes += await stop();
  }
  const [still, changing] = [sumOf(slices.still), sumOf(slices.changing)];
  const cpuOf = ({ cpu, calls }: Measured): number => (cpu.node + cpu.postgres) / calls;
  const perChange = ((cpuOf(changing) - cpuOf(still)) * changing.calls * 1e3) / changes;
  const row = (name: string, goal: string, m: Measured, more = ""): Row => ({
    measure: name,
    goal,
    result: figureText(rate(m)) + more,
    figure: rate(m),
    cpu: { ...m.cpu, calls: m.calls },
  });
  return [
    row(`GET status by ${SIGNERS} clients`, "–", still),
    row(
      "…, with ten changes of clients and roles per second",
      "< 10 ms of CPU per change, 10% of a core",
      changing,
      `, ${perChange.toFixed(1)} ms per change`,
    ),
  ];
}

/** Changes a client or a role of the signers every tenth of a second. The returned function ends this, and returns their number. */
function changeTenTimesPerSecond({ admin }: AuthBench): () => Promise<number> {
  const scopes = (): string[] => [`changed:${slugid()}`];
  const change = (n: number): Promise<unknown> =>
    n % 2 === 0
      ? admin.auth.updateRole({ roleId: repoRoleOf(n) }, { scopes: scopes(), description: "" })
      : admin.auth.updateClient(
          { clientId: clientIdOf(n) },
          { scopes: scopes(), description: "", expires: inAYear() },
        );
  let n = 0;
  let changes: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    const i = n++;
    changes = changes.then(() => change(i));
  }, 100);
  return async () => {
    clearInterval(timer);
    await changes;
    return n;
  };
}

/** Previews changes of a role that few clients have and of the one that all of them have, while another caller sends pings. */
async function previews(b: AuthBench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, roleId] of [
    ["a role of few clients", repoRoleOf(1)],
    ["the role of all clients", "anonymous"],
  ] as const) {
    const pings: number[] = [];
    let isDone = false;
    const m = await around(b.serverPid, 1, pings, async () => {
      const preview = b.admin.auth
        .previewRole({ roleId, scopes: ["changed:scope"] })
        .finally(() => (isDone = true));
      while (!isDone) {
        const start = performance.now();
        await b.client.send("GET", "/api/queue/v1/ping", undefined, null);
        pings.push(performance.now() - start);
      }
      await preview;
    });
    rows.push({
      measure: `previewRole of ${name}; pings of others meanwhile, p50 / max`,
      goal: "–",
      result: `${figureText(milliseconds(m.seconds * 1e3))}; ${texts(m.latencies, 0.5, 1)}`,
      figure: milliseconds(m.seconds * 1e3),
      cpu: { ...m.cpu, calls: 1 },
    });
  }
  return rows;
}

export const scenarios: readonly ((b: AuthBench) => Promise<Row[]>)[] = [
  signatures,
  afterChange,
  duringChanges,
  previews,
];
