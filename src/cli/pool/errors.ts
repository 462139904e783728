// `taskyard pool errors` and `taskyard pool error-stats`.
import type { ErrorStats, PoolError } from "../../api/worker-manager/errors.ts";
import { counted } from "../../lib/counted.ts";
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { localTime, oneLine } from "../format.ts";
import { writeJson, writeLines } from "../io.ts";
import { limitOf, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { parsePoolId } from "../parse-task-queue.ts";
import { formatTable } from "../table.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";
import { launchConfigOption } from "./workers.ts";

export const poolErrorsCommand = command({
  name: "pool errors",
  summary: "List the errors that the workers of a pool have reported, the newest first.",
  args: [{ name: "POOL" }],
  options: { "launch-config": launchConfigOption, ...pageOptions },
  examples: [
    { command: "taskyard pool errors ci/linux", description: "Show the last 50 errors." },
    {
      command: "taskyard pool errors ci/linux --json --limit 1",
      description: "Show everything about the last one.",
    },
  ],
  async run({ options, args, io }) {
    const workerPoolId = parsePoolId(args[0]);
    const limit = limitOf(options);
    const { "launch-config": launchConfigId } = options;
    const { workerManager } = await connectTarget(io);
    const errors = await firstElements(
      limit,
      (page) =>
        workerManager.listWorkerPoolErrors(
          { workerPoolId },
          { query: { ...(launchConfigId !== undefined && { launchConfigId }), ...page } },
        ),
      (page) => page.workerPoolErrors,
    );
    return writeList(io, options.json, {
      name: "workerPoolErrors",
      ...errors,
      header: ["TIME", "KIND", "WORKER", "ERROR"],
      row: (error) => [
        localTime(error.reported),
        error.kind,
        workerOf(error),
        oneLine(`${error.title}: ${error.description}`),
      ],
      none: `the workers of ${workerPoolId} have reported no errors`,
    });
  },
});

/** Returns the worker that reported an error. The server adds it to what the worker reports. */
function workerOf({ extra: { workerGroup, workerId } }: PoolError): string {
  return typeof workerGroup === "string" && typeof workerId === "string"
    ? oneLine(`${workerGroup}/${workerId}`)
    : "-";
}

export const poolErrorStatsCommand = command({
  name: "pool error-stats",
  summary: "Count the errors of the last seven days by day, hour, title, kind and pool.",
  details: ["Without POOL, those of all pools."],
  args: [{ name: "POOL", optional: true }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard pool error-stats", description: "Show which pools have problems." }],
  async run({ options, args: [word], io }) {
    const workerPoolId = word === undefined ? undefined : parsePoolId(word);
    const { workerManager } = await connectTarget(io);
    const stats = await workerManager.workerPoolErrorStats({
      query: workerPoolId === undefined ? {} : { workerPoolId },
    });
    if (options.json) writeJson(io.stdout, stats);
    else writeLines(io.stdout, describeStats(workerPoolId ?? "all pools", stats));
    return exitStatus.ok;
  },
});

function describeStats(of: string, { totals }: ErrorStats): string[] {
  const { total, daily, hourly, title, code, launchConfig, workerPool } = totals;
  const head = `${counted(total, "error")} of ${of} in the last seven days`;
  if (total === 0) return [head];
  return [
    head,
    ...section("DAY (UTC)", Object.entries(daily)),
    ...section(
      "HOUR",
      occurring(hourly).map(([hour, count]) => [localTime(hour), count]),
    ),
    ...section("TITLE", byCount(title)),
    ...section("KIND", byCount(code)),
    ...section("LAUNCH CONFIG", byCount(launchConfig)),
    ...section("POOL", byCount(workerPool)),
  ];
}

type Numbers = Readonly<Record<string, number>>;

const occurring = (numbers: Numbers) => Object.entries(numbers).filter(([, count]) => count > 0);
const byCount = (numbers: Numbers) => occurring(numbers).toSorted(([, a], [, b]) => b - a);

const section = (name: string, counts: readonly (readonly [string, number])[]): string[] =>
  counts.length === 0
    ? []
    : [
        "",
        ...formatTable(
          ["ERRORS", name],
          counts.map(([what, count]) => [String(count), oneLine(what)]),
        ),
      ];
