// `taskyard queue workers`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { localTime, timeBetween } from "../format.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { paginate } from "../paginate.ts";
import { formatTable } from "../table.ts";
import { connectTarget } from "../target.ts";
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
    if (options.json) {
      writeJson(io.stdout, { workers });
      return exitStatus.ok;
    }
    const now = new Date().toISOString();
    const rows = workers.map((worker) => [
      `${worker.workerGroup}/${worker.workerId}`,
      worker.lastDateActive === undefined ? "never" : `${timeBetween(worker.lastDateActive, now)} ago`,
      worker.latestTask === undefined ? "-" : `${worker.latestTask.taskId} run ${worker.latestTask.runId}`,
      localTime(worker.quarantineUntil),
    ]);
    if (rows.length === 0)
      writeLine(io.stderr, `${taskQueueId} has no ${options.quarantined ? "quarantined" : "known"} workers`);
    else
      writeLines(io.stdout, formatTable(["WORKER", "LAST ACTIVE", "LATEST TASK", "QUARANTINED UNTIL"], rows));
    return exitStatus.ok;
  },
});
