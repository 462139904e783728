// `taskyard queue list`.
import { colorsFor } from "../colors.ts";
import { command, jsonOption } from "../command.ts";
import { timeBetween } from "../format.ts";
import { paginate } from "../paginate.ts";
import { SOURCE_QUEUE } from "../run/source-task.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";

/** A worker that waits for work is seen more often than this, in milliseconds. */
const SILENT_MS = 60_000;

export const queueListCommand = command({
  name: "queue list",
  summary: "List the task queues with their pending and claimed tasks.",
  details: [
    "Lists queues that have such tasks, and those from which a worker has requested work within the last day. Omits " +
      `${SOURCE_QUEUE}, whose tasks \`taskyard run --cwd-tarball\` itself resolves.`,
  ],
  args: [],
  options: { json: jsonOption },
  examples: [
    {
      command: "taskyard queue list",
      description: "Show the number of pending and claimed tasks per queue, and when a worker was last seen.",
    },
  ],
  async run({ options, io }) {
    const { queue } = await connectTarget(io);
    const taskQueues = [];
    for await (const page of paginate((query) => queue.taskQueueOverview({ query })))
      taskQueues.push(...page.taskQueues.filter(({ taskQueueId }) => taskQueueId !== SOURCE_QUEUE));
    const colors = colorsFor(io.stdout, io.env);
    const now = new Date().toISOString();
    return writeList(io, options.json, {
      name: "taskQueues",
      found: taskQueues,
      goesOn: false,
      header: ["QUEUE", "PENDING", "CLAIMED", "WORKER SEEN"],
      row: ({ taskQueueId, pendingTasks, claimedTasks, lastDateActive }) => {
        const seen = lastDateActive === undefined ? "never" : `${timeBetween(lastDateActive, now)} ago`;
        const isSilent = Date.parse(now) - Date.parse(lastDateActive ?? "1970") > SILENT_MS;
        const isWaiting = pendingTasks > 0 && isSilent && !taskQueueId.startsWith("built-in/");
        return [
          taskQueueId,
          String(pendingTasks),
          String(claimedTasks),
          isWaiting ? colors.yellow(seen) : seen,
        ];
      },
      none: "no queues: none has tasks, and no worker has requested work recently",
    });
  },
});
