// `taskyard pool worker list` and `taskyard pool worker show`.
import { WORKER_STATES, type JoinedWorker, type ManagedWorker } from "../../api/worker-manager/workers.ts";
import { ClientError } from "../../client/client-error.ts";
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { formatFacts, localTime, oneLine, timeBetween } from "../format.ts";
import { writeJson, writeLines } from "../io.ts";
import { limitOf, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { parsePoolId } from "../parse-task-queue.ts";
import { parseWorker, type WorkerName } from "../queue/parse-names.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";

export const launchConfigOption = {
  type: "value",
  value: "ID",
  summary: "Only those of this launch config.",
} as const;

/** Splits the name of a worker, as `pool worker list` prints it. */
export const parsePoolWorker = (word: string | undefined): WorkerName =>
  parseWorker(word, "pool worker list POOL");

export const poolWorkerListCommand = command({
  name: "pool worker list",
  summary: "List the workers of a pool.",
  details: [
    "Lists those that are registered or were created. `taskyard queue workers` lists all that have requested work from the queue.",
  ],
  args: [{ name: "POOL" }],
  options: {
    state: {
      type: "value",
      value: "STATE",
      summary: `Only those in this state: ${WORKER_STATES.join(", ")}.`,
    },
    group: { type: "value", value: "GROUP", summary: "Only those of this group." },
    "launch-config": launchConfigOption,
    ...pageOptions,
  },
  examples: [
    { command: "taskyard pool worker list ci/linux --state running", description: "Show those that run." },
  ],
  async run({ options, args, io }) {
    const workerPoolId = parsePoolId(args[0]);
    const limit = limitOf(options);
    const { state, group: workerGroup, "launch-config": launchConfigId } = options;
    if (state !== undefined && !WORKER_STATES.some((known) => known === state))
      throw new UsageError(`--state ${state}: must be one of ${WORKER_STATES.join(", ")}`);
    const filter = {
      ...(state !== undefined && { state }),
      ...(launchConfigId !== undefined && { launchConfigId }),
    };
    if (workerGroup !== undefined && Object.keys(filter).length > 0)
      throw new UsageError("--group excludes --state and --launch-config: use one of them");
    const { workerManager } = await connectTarget(io);
    const workers = await firstElements(
      limit,
      (query) =>
        workerGroup === undefined
          ? workerManager.listWorkersForWorkerPool({ workerPoolId }, { query: { ...filter, ...query } })
          : workerManager.listWorkersForWorkerGroup({ workerPoolId, workerGroup }, { query }),
      (page) => page.workers,
    );
    return writeList(io, options.json, {
      name: "workers",
      ...workers,
      header: ["WORKER", "STATE", "CAPACITY", "CREATED", "EXPIRES", "LAUNCH CONFIG"],
      row: (worker) => [
        `${worker.workerGroup}/${worker.workerId}`,
        worker.state,
        String(worker.capacity),
        localTime(worker.created),
        localTime(worker.expires),
        worker.launchConfigId ?? "-",
      ],
      none: `${workerPoolId} has no ${workerGroup === undefined && Object.keys(filter).length === 0 ? "" : "such "}workers`,
    });
  },
});

/** What only the queue has of a worker. */
type Seen = Pick<JoinedWorker, "firstClaim" | "lastDateActive" | "quarantineUntil" | "recentTasks">;

export const poolWorkerShowCommand = command({
  name: "pool worker show",
  summary: "Show a worker of a pool, its latest tasks, and whether it should terminate.",
  args: [{ name: "POOL" }, { name: "WORKER" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard pool worker show ci/linux local/host-1", description: "Show a worker." }],
  async run({ options, args: [pool, word], io }) {
    const workerPoolId = parsePoolId(pool);
    const [provisionerId = "", workerType = ""] = workerPoolId.split("/");
    const name = parsePoolWorker(word);
    const { workerManager } = await connectTarget(io);
    const worker = await workerManager.worker({ workerPoolId, ...name });
    const seen = await workerManager
      .getWorker({ provisionerId, workerType, ...name })
      .then(({ firstClaim, lastDateActive, quarantineUntil, recentTasks }): Seen => {
        const optional = {
          ...(lastDateActive && { lastDateActive }),
          ...(quarantineUntil && { quarantineUntil }),
        };
        return { firstClaim, ...optional, recentTasks };
      })
      .catch(notFound);
    const { terminate, reason } = await workerManager.shouldWorkerTerminate({ workerPoolId, ...name });
    if (options.json) writeJson(io.stdout, { ...worker, ...seen, terminate, reason });
    else
      writeLines(
        io.stdout,
        formatFacts([
          ...factsOf(worker),
          ...seenFacts(seen, new Date().toISOString()),
          ["terminates", terminate ? `yes: ${oneLine(reason)}` : "no"],
        ]),
      );
    return exitStatus.ok;
  },
});

/** Returns undefined for a worker that has not requested work yet. */
function notFound(error: unknown): undefined {
  if (error instanceof ClientError && error.statusCode === 404) return undefined;
  throw error;
}

const factsOf = (worker: ManagedWorker): [string, string][] => [
  ["worker", `${worker.workerGroup}/${worker.workerId}`],
  ["pool", worker.workerPoolId],
  ["state", worker.state],
  ["provider", worker.providerId],
  ["capacity", String(worker.capacity)],
  ["launch config", worker.launchConfigId ?? "-"],
  ["created", localTime(worker.created)],
  ["expires", localTime(worker.expires)],
];

function seenFacts(seen: Seen | undefined, now: string): [string, string][] {
  if (seen === undefined) return [["last active", "never"]];
  const { lastDateActive, quarantineUntil, recentTasks } = seen;
  return [
    ["last active", lastDateActive === undefined ? "-" : `${timeBetween(lastDateActive, now)} ago`],
    ["quarantine", quarantineUntil === undefined ? "no" : `until ${localTime(quarantineUntil)}`],
    ["latest tasks", recentTasks.map(({ taskId, runId }) => `${taskId} run ${runId}`).join(", ") || "none"],
  ];
}
