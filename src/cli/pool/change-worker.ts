// `taskyard pool worker create`, `update` and `remove`.
import type { ManagedWorker } from "../../api/worker-manager/workers.ts";
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { localTime } from "../format.ts";
import { writeJson, writeLine, type Io } from "../io.ts";
import { expiresOption, parseExpiry } from "../parse-expiry.ts";
import { parsePoolId } from "../parse-task-queue.ts";
import { connectTarget } from "../target.ts";
import { newOption, readSecret, withSecret } from "./secret-file.ts";
import { parsePoolWorker } from "./workers.ts";

const args = [{ name: "POOL" }, { name: "WORKER" }] as const;
const capacityOption = {
  type: "value",
  value: "N",
  summary: "How many tasks it runs at the same time.",
} as const;

/** Returns the ids in the arguments. */
const parseNames = ([pool, worker]: readonly string[]) => ({
  workerPoolId: parsePoolId(pool),
  ...parsePoolWorker(worker),
});

function parseCapacity(word: string): number {
  const capacity = Number(word);
  if (Number.isInteger(capacity) && capacity > 0) return capacity;
  throw new UsageError(`--capacity ${word}: must be a whole number, at least 1`);
}

function writeWorker(io: Io, worker: ManagedWorker, asJson: boolean, what: string): number {
  const { workerPoolId, workerGroup, workerId, expires } = worker;
  if (asJson) writeJson(io.stdout, worker);
  else
    writeLine(
      io.stdout,
      `worker ${workerGroup}/${workerId} of ${workerPoolId} ${what}; it expires at ${localTime(expires)}`,
    );
  return exitStatus.ok;
}

export const poolWorkerCreateCommand = command({
  name: "pool worker create",
  summary: "Create a worker of a pool with the provider static.",
  details: [
    "WORKER is its group and id, with a slash between them. FILE contains the secret with which it registers; - is standard input.",
  ],
  args: [...args, { name: "FILE" }],
  options: {
    new: newOption,
    expires: { ...expiresOption, summary: `${expiresOption.summary} Default: in a year.` },
    capacity: { ...capacityOption, summary: `${capacityOption.summary} Default: 1.` },
    json: jsonOption,
  },
  examples: [
    {
      command: "taskyard pool worker create ci/macs office/mac-1 mac-1.secret --new",
      description: "Create a worker with a new secret.",
    },
  ],
  async run({ options, args: words, io }) {
    const names = parseNames(words);
    const [, , file = ""] = words;
    const capacity = parseCapacity(options.capacity ?? "1");
    const expires = parseExpiry(options.expires ?? "1 year", Date.now());
    const { workerManager } = await connectTarget(io);
    const worker = await withSecret(file, options.new, io, (staticSecret) =>
      workerManager.createWorker(names, { expires, capacity, providerInfo: { staticSecret } }),
    );
    return writeWorker(io, worker, options.json, "created");
  },
});

export const poolWorkerUpdateCommand = command({
  name: "pool worker update",
  summary: "Change the expiry, capacity or secret of a worker of a pool with the provider static.",
  details: ["What no option names stays as it is."],
  args,
  options: {
    expires: expiresOption,
    capacity: capacityOption,
    "secret-file": {
      type: "value",
      value: "FILE",
      summary: "The file with its new secret; - is standard input.",
    },
    json: jsonOption,
  },
  examples: [
    {
      command: "taskyard pool worker update ci/macs office/mac-1 --expires '2 years'",
      description: "Let a worker stay for another two years.",
    },
  ],
  async run({ options, args: words, io }) {
    const names = parseNames(words);
    const { expires, capacity: count, "secret-file": file } = options;
    if (expires === undefined && count === undefined && file === undefined)
      throw new UsageError("nothing to change: use --expires, --capacity or --secret-file");
    const until = expires === undefined ? undefined : parseExpiry(expires, Date.now());
    const capacity = count === undefined ? undefined : parseCapacity(count);
    const staticSecret = file === undefined ? undefined : await readSecret(file, io);
    const { workerManager } = await connectTarget(io);
    const worker = await workerManager.updateWorker(names, {
      // The API requires it.
      expires: until ?? (await workerManager.worker(names)).expires,
      ...(capacity !== undefined && { capacity }),
      ...(staticSecret !== undefined && { providerInfo: { staticSecret } }),
    });
    return writeWorker(io, worker, options.json, "updated");
  },
});

export const poolWorkerRemoveCommand = command({
  name: "pool worker remove",
  summary: "Remove a worker from a pool.",
  details: [
    "The worker cannot renew its credentials. With the provider self its tasks run again elsewhere, within a second; a machine that has " +
      "a secret of the pool can register again.",
  ],
  args,
  options: { json: jsonOption },
  examples: [
    {
      command: "taskyard pool worker remove ci/linux local/host-1",
      description: "End a worker that is broken.",
    },
  ],
  async run({ options, args: words, io }) {
    const names = parseNames(words);
    const { workerManager } = await connectTarget(io);
    await workerManager.removeWorker(names);
    if (options.json) writeJson(io.stdout, names);
    else
      writeLine(io.stdout, `worker ${names.workerGroup}/${names.workerId} of ${names.workerPoolId} removed`);
    return exitStatus.ok;
  },
});
