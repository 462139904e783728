// `taskyard queue workers`: who works for a queue.
import { exitStatus } from "../cli-error.ts";
import { localTime, timeBetween } from "../format.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { paginate } from "../paginate.ts";
import { connectTarget } from "../target.ts";
import { parseQueue } from "./parse-names.ts";
import { formatTable } from "../table.ts";

export const queueWorkersCommand = command({
  name: "queue workers",
  summary: "List the workers of a queue.",
  details: ["A worker that was not seen for a day is forgotten, unless it is in quarantine."],
  args: [{ name: "QUEUE" }],
  options: {
    quarantined: { type: "flag", summary: "Only those in quarantine." },
    json: jsonOption,
  },
  examples: [
    { command: "taskyard queue workers local/default", says: "When each was seen, and its latest task." },
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
      writeJson(io.stdout, workers);
      return exitStatus.ok;
    }
    const now = new Date().toISOString();
    const rows = workers.map((worker) => [
      `${worker.workerGroup}/${worker.workerId}`,
      worker.lastDateActive === undefined ? "never" : `${timeBetween(worker.lastDateActive, now)} ago`,
      worker.latestTask === undefined ? "-" : `${worker.latestTask.taskId} ${worker.latestTask.runId}`,
      localTime(worker.quarantineUntil),
    ]);
    if (rows.length === 0)
      writeLine(
        io.stderr,
        `no worker of ${taskQueueId} is ${options.quarantined ? "in quarantine" : "known"}`,
      );
    else writeLines(io.stdout, formatTable(["WORKER", "SEEN", "LATEST TASK", "IN QUARANTINE UNTIL"], rows));
    return exitStatus.ok;
  },
});
