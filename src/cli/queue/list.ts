// `taskyard queue list`.
import type { Client } from "../../client/connect.ts";
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { timeBetween } from "../format.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { paginate } from "../paginate.ts";
import { formatTable } from "../table.ts";
import { connectTarget } from "../target.ts";

/** Concurrent requests for counts. */
const CONCURRENCY = 8;

export const queueListCommand = command({
  name: "queue list",
  summary: "List the task queues with their pending and claimed tasks.",
  details: [
    "A queue is listed if a worker has requested work from it within the last day. Other queues may still have pending tasks.",
  ],
  args: [],
  options: { json: jsonOption },
  examples: [
    {
      command: "taskyard queue list",
      description: "Show the number of pending and claimed tasks per queue.",
    },
  ],
  async run({ options, io }) {
    const { queue } = await connectTarget(io);
    const queues = [];
    for await (const page of paginate((query) => queue.listTaskQueues({ query })))
      for (let from = 0; from < page.taskQueues.length; from += CONCURRENCY) {
        const some = page.taskQueues.slice(from, from + CONCURRENCY);
        queues.push(...(await Promise.all(some.map((taskQueue) => withCounts(queue, taskQueue)))));
      }
    if (options.json) writeJson(io.stdout, queues);
    else if (queues.length === 0) writeLine(io.stderr, "no queues: no worker has requested work recently");
    else {
      const now = new Date().toISOString();
      const rows = queues.map((q) => [
        q.taskQueueId,
        String(q.pendingTasks),
        String(q.claimedTasks),
        `${timeBetween(q.lastDateActive, now)} ago`,
      ]);
      writeLines(io.stdout, formatTable(["QUEUE", "PENDING", "CLAIMED", "LAST ACTIVE"], rows));
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
