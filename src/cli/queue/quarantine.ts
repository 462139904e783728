// `taskyard queue quarantine` and `taskyard queue release`: keeping tasks from a worker.
import { parseDuration } from "../../lib/duration.ts";
import { exitStatus, messageOf, UsageError } from "../cli-error.ts";
import { localTime } from "../format.ts";
import { command, jsonOption } from "../command.ts";
import { writeLine, writeJson } from "../io.ts";
import { connectTarget } from "../target.ts";
import { parseQueue, parseWorker } from "./parse-names.ts";

const args = [{ name: "QUEUE" }, { name: "WORKER" }] as const;
const reasonOption = {
  type: "value",
  value: "TEXT",
  summary: "Why, for whoever looks at the worker later.",
} as const;

export const quarantineCommand = command({
  name: "queue quarantine",
  summary: "Keep tasks from a worker.",
  details: ["The worker goes on with what it holds, and gets no other task until the quarantine ends."],
  args,
  options: {
    for: { type: "value", value: "TIME", summary: "How long, such as 12h. Default: 7d." },
    reason: reasonOption,
    json: jsonOption,
  },
  examples: [
    {
      command: 'taskyard queue quarantine local/default local/host-1 --reason "disk full"',
      says: "For a week, or until it is released.",
    },
  ],
  async run({ options, args: words, io }) {
    const { provisionerId, workerType } = parseQueue(words[0]);
    const worker = parseWorker(words[1]);
    const quarantineUntil = new Date(Date.now() + durationOf(options.for ?? "7d")).toISOString();
    const { queue } = await connectTarget(io);
    const reply = await queue.quarantineWorker(
      { provisionerId, workerType, ...worker },
      { quarantineUntil, ...(options.reason !== undefined && { quarantineInfo: options.reason }) },
    );
    if (options.json) writeJson(io.stdout, reply);
    else writeLine(io.stdout, `${words[1] ?? ""} is in quarantine until ${localTime(reply.quarantineUntil)}`);
    return exitStatus.ok;
  },
});

export const releaseCommand = command({
  name: "queue release",
  summary: "Let a worker out of quarantine.",
  args,
  options: { reason: reasonOption, json: jsonOption },
  examples: [
    {
      command: "taskyard queue release local/default local/host-1",
      says: "It gets tasks when it next asks.",
    },
  ],
  async run({ options, args: words, io }) {
    const { provisionerId, workerType } = parseQueue(words[0]);
    const worker = parseWorker(words[1]);
    const { queue } = await connectTarget(io);
    const reply = await queue.quarantineWorker(
      { provisionerId, workerType, ...worker },
      {
        quarantineUntil: new Date(0).toISOString(),
        ...(options.reason !== undefined && { quarantineInfo: options.reason }),
      },
    );
    if (options.json) writeJson(io.stdout, reply);
    else writeLine(io.stdout, `${words[1] ?? ""} is in no quarantine`);
    return exitStatus.ok;
  },
});

/** The longest that anybody can mean; sums beyond it are no times any more. */
const LONGEST = 1000 * 365 * 86_400_000;

function durationOf(text: string): number {
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch (error) {
    throw new UsageError(`--for ${text} ${messageOf(error)}`, { cause: error });
  }
  if (ms > 0 && ms <= LONGEST) return ms;
  throw new UsageError(
    `--for ${text} is too ${ms > 0 ? "long: a thousand years are" : "short: 1ms is"} the limit`,
  );
}
