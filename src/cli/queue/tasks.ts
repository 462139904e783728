// `taskyard queue pending` and `taskyard queue claimed`: the tasks of a queue.
import { exitStatus } from "../cli-error.ts";
import { oneLine, timeBetween } from "../format.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { paginate } from "../paginate.ts";
import { connectTarget } from "../target.ts";
import { parseLimit, parseQueue } from "./parse-names.ts";
import { formatTable } from "../table.ts";

const limitOption = {
  type: "value",
  value: "N",
  summary: "Show no more than so many. Default: 50.",
} as const;

export const queuePendingCommand = command({
  name: "queue pending",
  summary: "Show the tasks of a queue that wait for a worker.",
  details: ["Those that wait longest come first; workers take those of a higher priority before them."],
  args: [{ name: "QUEUE" }],
  options: { limit: limitOption, json: jsonOption },
  examples: [{ command: "taskyard queue pending local/default", says: "How long each has waited." }],
  async run({ options, args, io }) {
    const { taskQueueId } = parseQueue(args[0]);
    const limit = parseLimit(options.limit);
    const { queue } = await connectTarget(io);
    const [{ pendingTasks }, tasks] = await Promise.all([
      queue.pendingTasks({ taskQueueId }),
      take(limit, (query) => queue.listPendingTasks({ taskQueueId }, { query })),
    ]);
    if (options.json) {
      writeJson(io.stdout, { taskQueueId, pendingTasks, tasks });
      return exitStatus.ok;
    }
    const now = new Date().toISOString();
    const rows = tasks.map(({ taskId, runId, inserted, task }) => [
      taskId,
      String(runId),
      task.priority,
      timeBetween(inserted, now),
      oneLine(task.metadata.name),
    ]);
    if (rows.length === 0) writeLine(io.stderr, `nothing waits in ${taskQueueId}`);
    else writeLines(io.stdout, formatTable(["TASK", "RUN", "PRIORITY", "WAITS", "NAME"], rows));
    if (pendingTasks > rows.length) writeLine(io.stderr, `… and ${pendingTasks - rows.length} more`);
    return exitStatus.ok;
  },
});

export const queueClaimedCommand = command({
  name: "queue claimed",
  summary: "Show the tasks of a queue that a worker holds.",
  args: [{ name: "QUEUE" }],
  options: { limit: limitOption, json: jsonOption },
  examples: [{ command: "taskyard queue claimed local/default", says: "Who holds each, and since when." }],
  async run({ options, args, io }) {
    const { taskQueueId } = parseQueue(args[0]);
    const limit = parseLimit(options.limit);
    const { queue } = await connectTarget(io);
    const tasks = await take(limit, (query) => queue.listClaimedTasks({ taskQueueId }, { query }));
    if (options.json) {
      writeJson(io.stdout, { taskQueueId, tasks });
      return exitStatus.ok;
    }
    const now = new Date().toISOString();
    const rows = tasks.map(({ taskId, runId, workerGroup, workerId, claimed, task }) => [
      taskId,
      String(runId),
      `${workerGroup}/${workerId}`,
      timeBetween(claimed, now),
      oneLine(task.metadata.name),
    ]);
    if (rows.length === 0) writeLine(io.stderr, `no worker holds a task of ${taskQueueId}`);
    else writeLines(io.stdout, formatTable(["TASK", "RUN", "WORKER", "FOR", "NAME"], rows));
    return exitStatus.ok;
  },
});

/** The first `limit` of a list, without asking for what follows. */
async function take<T>(
  limit: number,
  get: (query: {
    readonly continuationToken?: string;
    readonly limit: string;
  }) => Promise<{ readonly tasks: readonly T[]; readonly continuationToken?: string }>,
): Promise<T[]> {
  const taken: T[] = [];
  for await (const page of paginate((query) => get({ ...query, limit: String(limit - taken.length) }))) {
    taken.push(...page.tasks);
    if (taken.length >= limit) break;
  }
  return taken;
}
