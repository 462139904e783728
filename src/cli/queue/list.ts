// `taskyard queue list`: the task queues, and how much there is to do in each.
import type { Client } from "../../client/connect.ts";
import { exitStatus } from "../cli-error.ts";
import { timeBetween } from "../format.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { paginate } from "../paginate.ts";
import { connectTarget } from "../target.ts";
import { formatTable } from "../table.ts";

/** Counts that are asked for at once. */
const AT_ONCE = 8;

export const queueListCommand = command({
  name: "queue list",
  summary: "List the task queues, and how much there is to do in each.",
  details: ["A queue that no worker asked for a day is not listed, though tasks may wait in it."],
  args: [],
  options: { json: jsonOption },
  examples: [{ command: "taskyard queue list", says: "Pending and claimed tasks of each queue." }],
  async run({ options, io }) {
    const { queue } = await connectTarget(io);
    const queues = [];
    for await (const page of paginate((query) => queue.listTaskQueues({ query })))
      for (let from = 0; from < page.taskQueues.length; from += AT_ONCE) {
        const some = page.taskQueues.slice(from, from + AT_ONCE);
        queues.push(...(await Promise.all(some.map((taskQueue) => withCounts(queue, taskQueue)))));
      }
    if (options.json) writeJson(io.stdout, queues);
    else if (queues.length === 0) writeLine(io.stderr, "no queues: no worker has asked for work of late");
    else {
      const now = new Date().toISOString();
      const rows = queues.map((q) => [
        q.taskQueueId,
        String(q.pendingTasks),
        String(q.claimedTasks),
        `${timeBetween(q.lastDateActive, now)} ago`,
      ]);
      writeLines(io.stdout, formatTable(["QUEUE", "PENDING", "CLAIMED", "ASKED FOR WORK"], rows));
    }
    return exitStatus.ok;
  },
});

async function withCounts<Q extends { readonly taskQueueId: string }>(
  queue: Client["queue"],
  taskQueue: Q,
): Promise<Q & { readonly pendingTasks: number; readonly claimedTasks: number }> {
  const { taskQueueId } = taskQueue;
  const { pendingTasks, claimedTasks } = await queue.taskQueueCounts({ taskQueueId });
  return { ...taskQueue, pendingTasks, claimedTasks };
}
