// `taskyard queue pending` and `taskyard queue claimed`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { oneLine, timeBetween } from "../format.ts";
import { writeJson, writeLine } from "../io.ts";
import { paginate } from "../paginate.ts";
import { writeTable } from "../table.ts";
import { connectTarget } from "../target.ts";
import { parseLimit, parseQueue } from "./parse-names.ts";

const limitOption = { type: "value", value: "N", summary: "Maximum number of tasks. Default: 50." } as const;

export const queuePendingCommand = command({
  name: "queue pending",
  summary: "List the tasks of a queue that wait for a worker.",
  details: ["Sorted by waiting time, longest first. Workers get tasks with a higher priority first."],
  args: [{ name: "QUEUE" }],
  options: { limit: limitOption, json: jsonOption },
  examples: [
    { command: "taskyard queue pending local/default", description: "Show how long each task has waited." },
  ],
  async run({ options, args, io }) {
    const { taskQueueId } = parseQueue(args[0]);
    const limit = parseLimit(options.limit);
    const { queue } = await connectTarget(io);
    const [{ pendingTasks }, tasks] = await Promise.all([
      queue.pendingTasks({ taskQueueId }),
      firstTasks(limit, (query) => queue.listPendingTasks({ taskQueueId }, { query })),
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
    if (rows.length === 0) writeLine(io.stderr, `${taskQueueId} has no pending tasks`);
    else writeTable(io.stdout, ["TASK", "RUN", "PRIORITY", "WAITING", "NAME"], rows);
    if (pendingTasks > rows.length) writeLine(io.stderr, `… and ${pendingTasks - rows.length} more`);
    return exitStatus.ok;
  },
});

export const queueClaimedCommand = command({
  name: "queue claimed",
  summary: "List the tasks of a queue that workers have claimed.",
  args: [{ name: "QUEUE" }],
  options: { limit: limitOption, json: jsonOption },
  examples: [
    {
      command: "taskyard queue claimed local/default",
      description: "Show which worker has claimed each task, and how long ago.",
    },
  ],
  async run({ options, args, io }) {
    const { taskQueueId } = parseQueue(args[0]);
    const limit = parseLimit(options.limit);
    const { queue } = await connectTarget(io);
    const tasks = await firstTasks(limit, (query) => queue.listClaimedTasks({ taskQueueId }, { query }));
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
    if (rows.length === 0) writeLine(io.stderr, `${taskQueueId} has no claimed tasks`);
    else writeTable(io.stdout, ["TASK", "RUN", "WORKER", "CLAIMED FOR", "NAME"], rows);
    return exitStatus.ok;
  },
});

/** Returns the first `limit` entries of a list, without requesting more pages than needed. */
async function firstTasks<T>(
  limit: number,
  get: (query: {
    readonly continuationToken?: string;
    readonly limit: string;
  }) => Promise<{ readonly tasks: readonly T[]; readonly continuationToken?: string }>,
): Promise<T[]> {
  const tasks: T[] = [];
  for await (const page of paginate((query) => get({ ...query, limit: String(limit - tasks.length) }))) {
    tasks.push(...page.tasks);
    if (tasks.length >= limit) break;
  }
  return tasks;
}
