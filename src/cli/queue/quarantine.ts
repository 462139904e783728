// `taskyard queue quarantine` and `taskyard queue release`.
import { parseDuration } from "../../lib/duration.ts";
import { exitStatus, messageOf, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { localTime } from "../format.ts";
import { writeJson, writeLine } from "../io.ts";
import { connectTarget } from "../target.ts";
import { parseQueue, parseWorker } from "./parse-names.ts";

const args = [{ name: "QUEUE" }, { name: "WORKER" }] as const;
const reasonOption = {
  type: "value",
  value: "TEXT",
  summary: "The reason, recorded with the worker.",
} as const;

export const quarantineCommand = command({
  name: "queue quarantine",
  summary: "Stop giving tasks to a worker.",
  details: [
    "The worker finishes the tasks that it has claimed, and gets no others until the quarantine ends.",
  ],
  args,
  options: {
    for: { type: "value", value: "TIME", summary: "Duration, such as 12h. Default: 7d." },
    reason: reasonOption,
    json: jsonOption,
  },
  examples: [
    {
      command: 'taskyard queue quarantine local/default local/host-1 --reason "disk full"',
      description: "Quarantine a worker for a week, or until it is released.",
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
    else writeLine(io.stdout, `${words[1] ?? ""} is quarantined until ${localTime(reply.quarantineUntil)}`);
    return exitStatus.ok;
  },
});

export const releaseCommand = command({
  name: "queue release",
  summary: "Release a worker from quarantine.",
  args,
  options: { reason: reasonOption, json: jsonOption },
  examples: [
    {
      command: "taskyard queue release local/default local/host-1",
      description: "Give the worker tasks again, from its next request.",
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
    else writeLine(io.stdout, `${words[1] ?? ""} is released from quarantine`);
    return exitStatus.ok;
  },
});

/** A thousand years. Dates far beyond are out of range. */
const MAX_MS = 1000 * 365 * 86_400_000;

function durationOf(text: string): number {
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch (error) {
    // oxlint-disable-next-line messages/next-step -- parseDuration states what would be right
    throw new UsageError(`--for ${text} ${messageOf(error)}`, { cause: error });
  }
  if (ms > MAX_MS) throw new UsageError(`--for ${text} is too long: the maximum is 1000 years`);
  if (ms > 0) return ms;
  throw new UsageError(`--for ${text} is too short: the minimum is 1ms`);
}
