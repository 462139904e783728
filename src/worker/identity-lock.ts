// Ensures that only one worker of this machine uses an id with a folder. Two would share one line in lists of workers, and a
// quarantine of one would stop both.
import { link, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Type from "typebox";
import { Compile } from "typebox/compile";
import type { Clock } from "../lib/clock.ts";
import { codeOf } from "../lib/error-code.ts";
import { pause } from "../lib/retry.ts";
import { slugid } from "../lib/slugid.ts";
import { isRunning, ownIdentity, ProcessIdentity } from "./process-identity.ts";
import { readOwnFile } from "./read-own-file.ts";
import { makeFolder } from "../lib/make-folder.ts";

export interface IdentityLock {
  /** Notes that the worker stops: another start with its id then waits for its end. */
  stopping(): Promise<void>;
  release(): Promise<void>;
}

export interface IdentityLockOptions {
  readonly workDir: string;
  readonly workerGroup: string;
  readonly workerId: string;
  readonly clock: Clock;
  /** Called once if the lock is not free yet. */
  onWait(): void;
}

const Holder = Type.Object({ worker: ProcessIdentity, stopping: Type.Boolean() });
const holder = Compile(Holder);

const pollMs = 100;

/** Takes the lock. Waits while its holder stops. Rejects with a suggestion if another worker keeps running with this id. */
export async function lockIdentity(options: IdentityLockOptions): Promise<IdentityLock> {
  const { workDir, workerGroup, workerId, clock } = options;
  const folder = join(workDir, "workers");
  const path = join(folder, `${workerGroup}_${workerId}.json`);
  await makeFolder(folder, 0o700);
  const worker = ownIdentity();
  /** Writes the file completely, and then gives it its name by `put`. */
  const write = async (stopping: boolean, put: typeof rename): Promise<void> => {
    const temporary = `${path}.${slugid()}`;
    try {
      await writeFile(temporary, JSON.stringify({ worker, stopping }), { mode: 0o600 });
      await put(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  };
  let isWaiting = false;
  // Creating a link fails if the file exists, so only one of several simultaneous starts succeeds.
  while (!(await write(false, link).then(() => true, unlessExists))) {
    const other = await readHolder(path);
    if (other === undefined || !isRunning(other.worker)) {
      await rm(path, { force: true });
      continue;
    }
    if (!other.stopping) {
      throw new Error(
        `another worker of this machine (process ${other.worker.pid}) is ${workerGroup}/${workerId} already. ` +
          `Stop it, or start this one with another id: --worker-id ${`${workerId}-2`.slice(-38)}`,
      );
    }
    if (!isWaiting) options.onWait();
    isWaiting = true;
    await pause(clock, pollMs, undefined);
  }
  return {
    // Best effort: the folder may be gone.
    stopping: () => write(true, rename).catch(() => undefined),
    release: () => rm(path, { force: true }),
  };
}

function unlessExists(error: unknown): false {
  if (codeOf(error) === "EEXIST") return false;
  throw error;
}

async function readHolder(path: string) {
  try {
    const content: unknown = JSON.parse(await readOwnFile(path));
    return holder.Check(content) ? content : undefined;
  } catch {
    // The file was removed meanwhile, or is not one of a worker.
    return undefined;
  }
}
