// `taskyard queue workers`.
import { command, jsonOption } from "../command.ts";
import { localTime, timeBetween } from "../format.ts";
import { paginate } from "../paginate.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";
import { parseQueue } from "./parse-names.ts";

export const queueWorkersCommand = command({
  name: "queue workers",
  summary: "List the workers of a queue.",
  details: [
    "Workers that have been inactive for a day are removed from the list, unless they are quarantined.",
  ],
  args: [{ name: "QUEUE" }],
  options: {
    quarantined: { type: "flag", summary: "List only quarantined workers." },
    json: jsonOption,
  },
  examples: [
    {
      command: "taskyard queue workers local/default",
      description: "Show when each worker was last active, and its latest task.",
    },
  ],
  async run({ options, args, io }) {
    const { taskQueueId, provisionerId, workerType } = parseQueue(args[0]);
    const { queue } = await connectTarget(io);
    const filter = options.quarantined ? { quarantined: "true" } : {};
    const workers = [];
    for await (const page of paginate((query) =>
      queue.listWorkers({ provisionerId, workerType }, { query: { ...query, ...filter } }),
    ))
      workers.push(...page.workers);
    const now = new Date().toISOString();
    return writeList(io, options.json, {
      name: "workers",
      found: workers,
      goesOn: false,
      header: ["WORKER", "LAST ACTIVE", "LATEST TASK", "QUARANTINED UNTIL"],
      row: (worker) => [
        `${worker.workerGroup}/${worker.workerId}`,
        worker.lastDateActive === undefined ? "never" : `${timeBetween(worker.lastDateActive, now)} ago`,
        worker.latestTask === undefined ? "-" : `${worker.latestTask.taskId} run ${worker.latestTask.runId}`,
        localTime(worker.quarantineUntil),
      ],
      none: `${taskQueueId} has no ${options.quarantined ? "quarantined" : "known"} workers`,
    });
  },
});
