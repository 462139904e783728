// `taskyard queue pending` and `taskyard queue claimed`.
import { exitStatus } from "../cli-error.ts";
import { command } from "../command.ts";
import { oneLine, timeBetween } from "../format.ts";
import { writeJson, writeLine } from "../io.ts";
import { limitOf, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { writeTable } from "../table.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";
import { parseQueue } from "./parse-names.ts";

export const queuePendingCommand = command({
  name: "queue pending",
  summary: "List the tasks of a queue that wait for a worker.",
  details: ["Sorted by waiting time, longest first. Workers get tasks with a higher priority first."],
  args: [{ name: "QUEUE" }],
  options: pageOptions,
  examples: [
    { command: "taskyard queue pending local/default", description: "Show how long each task has waited." },
  ],
  async run({ options, args, io }) {
    const { taskQueueId } = parseQueue(args[0]);
    const limit = limitOf(options);
    const { queue } = await connectTarget(io);
    const [{ pendingTasks }, { found: tasks }] = await Promise.all([
      queue.pendingTasks({ taskQueueId }),
      firstElements(
        limit,
        (query) => queue.listPendingTasks({ taskQueueId }, { query }),
        (page) => page.tasks,
      ),
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
    if (pendingTasks > rows.length)
      writeLine(io.stderr, `… and ${pendingTasks - rows.length} more: use --limit or --all`);
    return exitStatus.ok;
  },
});

export const queueClaimedCommand = command({
  name: "queue claimed",
  summary: "List the tasks of a queue that workers have claimed.",
  args: [{ name: "QUEUE" }],
  options: pageOptions,
  examples: [
    {
      command: "taskyard queue claimed local/default",
      description: "Show which worker has claimed each task, and how long ago.",
    },
  ],
  async run({ options, args, io }) {
    const { taskQueueId } = parseQueue(args[0]);
    const limit = limitOf(options);
    const { queue } = await connectTarget(io);
    const tasks = await firstElements(
      limit,
      (query) => queue.listClaimedTasks({ taskQueueId }, { query }),
      (page) => page.tasks,
    );
    const now = new Date().toISOString();
    return writeList(io, options.json, {
      name: "tasks",
      ...tasks,
      more: { taskQueueId },
      header: ["TASK", "RUN", "WORKER", "CLAIMED FOR", "NAME"],
      row: ({ taskId, runId, workerGroup, workerId, claimed, task }) => [
        taskId,
        String(runId),
        `${workerGroup}/${workerId}`,
        timeBetween(claimed, now),
        oneLine(task.metadata.name),
      ],
      none: `${taskQueueId} has no claimed tasks`,
    });
  },
});
