// `taskyard queue workers`: who works for a queue.
import { exitStatus } from "../cli-error.ts";
import { columns, localTime, sayLines, timeBetween } from "../columns.ts";
import { command, jsonOption } from "../command.ts";
import { say, sayJson } from "../io.ts";
import { pages } from "../pages.ts";
import { connectTarget } from "../target.ts";
import { readQueue } from "./read-words.ts";

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
    const { taskQueueId, provisionerId, workerType } = readQueue(args[0]);
    const { queue } = await connectTarget(io);
    const filter = options.quarantined ? { quarantined: "true" } : {};
    const workers = [];
    for await (const page of pages((query) =>
      queue.listWorkers({ provisionerId, workerType }, { query: { ...query, ...filter } }),
    ))
      workers.push(...page.workers);
    if (options.json) {
      sayJson(io.stdout, workers);
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
      say(io.stderr, `no worker of ${taskQueueId} is ${options.quarantined ? "in quarantine" : "known"}`);
    else sayLines(io.stdout, columns(["WORKER", "SEEN", "LATEST TASK", "IN QUARANTINE UNTIL"], rows));
    return exitStatus.ok;
  },
});
