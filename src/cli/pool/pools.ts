// `taskyard pool list`, `show`, `delete` and `providers`.
import type { WorkerPool } from "../../api/worker-manager/pools.ts";
import { changeCommand } from "../change-command.ts";
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { formatFacts, localTime, oneLine } from "../format.ts";
import { writeJson, writeLines } from "../io.ts";
import { limitOf, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { parsePoolId } from "../parse-task-queue.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";
import { DELETED_PROVIDER } from "./deleted-provider.ts";

export const poolListCommand = command({
  name: "pool list",
  summary: "List the worker pools.",
  args: [],
  options: pageOptions,
  examples: [{ command: "taskyard pool list", description: "Show the first 50 pools with their capacity." }],
  async run({ options, io }) {
    const limit = limitOf(options);
    const { workerManager } = await connectTarget(io);
    const pools = await firstElements(
      limit,
      (query) => workerManager.listWorkerPools({ query }),
      (page) => page.workerPools,
    );
    return writeList(io, options.json, {
      name: "workerPools",
      ...pools,
      header: ["POOL", "PROVIDER", "RUNNING", "CAPACITY", "DESCRIPTION"],
      row: (pool) => [
        pool.workerPoolId ?? "-",
        providerOf(pool),
        String(pool.runningCount),
        capacityOf(pool),
        oneLine(pool.description),
      ],
      none: "there are no worker pools",
    });
  },
});

export const poolShowCommand = command({
  name: "pool show",
  summary: "Show a worker pool with its config and the number of its workers.",
  args: [{ name: "POOL" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard pool show ci/linux", description: "Show everything about a pool." }],
  async run({ options, args, io }) {
    const workerPoolId = parsePoolId(args[0]);
    const { workerManager } = await connectTarget(io);
    const pool = await workerManager.workerPool({ workerPoolId });
    if (options.json) writeJson(io.stdout, pool);
    else {
      // Imported here: it takes longer to load than most commands run.
      const { stringify } = await import("yaml");
      const config = stringify(pool.config, { lineWidth: 0 }).trimEnd();
      writeLines(io.stdout, [
        ...describePool(workerPoolId, pool),
        "config:",
        ...config.split("\n").map((line) => `  ${oneLine(line)}`),
      ]);
    }
    return exitStatus.ok;
  },
});

const describePool = (workerPoolId: string, pool: WorkerPool): string[] =>
  formatFacts([
    ["pool", workerPoolId],
    ["provider", providerOf(pool)],
    ["description", oneLine(pool.description)],
    ["owner", oneLine(pool.owner)],
    ["created", localTime(pool.created)],
    ["modified", localTime(pool.lastModified)],
    ["workers", workersOf(pool)],
    ["capacity", capacityOf(pool)],
  ]);

const providerOf = ({ providerId }: WorkerPool): string =>
  providerId === DELETED_PROVIDER ? "none: deleted" : providerId;

/** Returns the capacity of the workers that run or will, and the limit if the pool has one. */
function capacityOf({ currentCapacity, config }: WorkerPool): string {
  const { maxCapacity } = config;
  return typeof maxCapacity === "number" ? `${currentCapacity} of ${maxCapacity}` : String(currentCapacity);
}

function workersOf(pool: WorkerPool): string {
  const counts = [
    [pool.requestedCount, "requested"],
    [pool.runningCount, "running"],
    [pool.stoppingCount, "stopping"],
    [pool.stoppedCount, "stopped"],
  ] as const;
  return counts.flatMap(([count, state]) => (count === 0 ? [] : [`${count} ${state}`])).join(", ") || "none";
}

export const poolDeleteCommand = changeCommand({
  name: "pool delete",
  summary: "Delete a worker pool, whose workers then terminate.",
  details: ["The pool is listed until the last of its workers is gone."],
  args: [{ name: "POOL" }],
  examples: [{ command: "taskyard pool delete ci/old", description: "Delete a pool." }],
  parse: parsePoolId,
  change: ({ workerManager }, workerPoolId) => workerManager.deleteWorkerPool({ workerPoolId }),
  done: (workerPoolId) => `pool ${workerPoolId} deleted; its workers will terminate`,
});

export const poolProvidersCommand = command({
  name: "pool providers",
  summary: "List the providers that a worker pool can have.",
  args: [],
  options: pageOptions,
  examples: [{ command: "taskyard pool providers", description: "Show them." }],
  async run({ options, io }) {
    const limit = limitOf(options);
    const { workerManager } = await connectTarget(io);
    const providers = await firstElements(
      limit,
      (query) => workerManager.listProviders({ query }),
      (page) => page.providers,
    );
    return writeList(io, options.json, {
      name: "providers",
      ...providers,
      header: ["PROVIDER", "TYPE"],
      row: ({ providerId, providerType }) => [providerId, providerType],
      none: "there are no providers",
    });
  },
});
