// Ensures that only one server uses a cluster: waits for one that is shutting down, and refuses to start beside
// another.
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { findHolder, isAlive } from "./lock-files.ts";

// The watchdog of a killed Taskyard stops its server within 5 s (fast shutdown) or 10 s (by force).
const defaultTimeoutMs = 15_000;

export interface WaitOptions {
  cluster: string;
  /** File with the process id of the Taskyard that last started a server here. Omit it if that is this process. */
  ownerFile?: string;
  onWait(pid: number): void;
  /** Default: 15 s. */
  timeoutMs?: number;
}

/** Resolves when no server uses the cluster. Throws an error with the process ids if another server keeps using it. */
export async function waitUntilFree({
  cluster,
  ownerFile,
  onWait,
  timeoutMs = defaultTimeoutMs,
}: WaitOptions): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let reported = false; ; reported = true) {
    const holder = await findHolder(cluster);
    if (holder === undefined) return;
    const owner =
      ownerFile === undefined ? 0 : Number.parseInt(await readFile(ownerFile, "utf8").catch(() => ""), 10);
    if (owner > 0 && isAlive(owner) && !holder.stopping) {
      throw new Error(
        `${cluster} is in use by another Taskyard (process ${owner}; its PostgreSQL is process ${holder.pid}). ` +
          `Use or stop that one, or set TASKYARD_HOME to another folder.`,
      );
    }
    if (performance.now() > deadline) {
      throw new Error(
        `${cluster} is in use by a PostgreSQL (process ${holder.pid}) that no running Taskyard has started. ` +
          `Stop it (kill -INT ${holder.pid}) and start again.`,
      );
    }
    if (!reported) onWait(holder.pid);
    await delay(50);
  }
}
