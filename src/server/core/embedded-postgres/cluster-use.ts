// One cluster, one server: waits for one that is on its way out, refuses to disturb one that is not.
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { findHolder, isAlive } from "./lock-files.ts";

// The watchdog of a killed Taskyard ends its server within 5 s in order, 10 s by force.
const longEnoughMs = 15_000;

export interface UntilFreeOptions {
  cluster: string;
  /** File with the process id of the Taskyard that last started a server here. Absent: the server was ours. */
  ownerFile?: string;
  onWait(pid: number): void;
  /** Longest wait; default 15 s. */
  patienceMs?: number;
}

/** Resolves when no server uses the cluster; throws, naming the processes, where one does and will go on to. */
export async function untilFree({
  cluster,
  ownerFile,
  onWait,
  patienceMs = longEnoughMs,
}: UntilFreeOptions): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (let told = false; ; told = true) {
    const holder = await findHolder(cluster);
    if (holder === undefined) return;
    const owner =
      ownerFile === undefined ? 0 : Number.parseInt(await readFile(ownerFile, "utf8").catch(() => ""), 10);
    if (owner > 0 && isAlive(owner) && !holder.stopping) {
      throw new Error(
        `${cluster} is in use by another Taskyard (process ${owner}; its PostgreSQL is process ${holder.pid}). ` +
          `Use that one, stop it, or set TASKYARD_HOME to another folder.`,
      );
    }
    if (performance.now() > deadline) {
      throw new Error(
        `${cluster} is in use by a PostgreSQL (process ${holder.pid}) that no running Taskyard has started. ` +
          `Stop it (kill -INT ${holder.pid}) and start again.`,
      );
    }
    if (!told) onWait(holder.pid);
    await delay(50);
  }
}
