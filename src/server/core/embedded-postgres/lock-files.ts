// Who holds a cluster, judged from the lock files that PostgreSQL leaves and from the processes that are there.
import { execFile } from "node:child_process";
import { readFile, readlink, realpath, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Holder {
  /** Process id of the postmaster. */
  pid: number;
  /** It is shutting down. */
  stopping: boolean;
}

/** The live server of this cluster, if there is one. */
export async function findHolder(cluster: string): Promise<Holder | undefined> {
  const file = await readFile(path.join(cluster, "postmaster.pid"), "utf8").catch(() => "");
  const lines = file.split("\n");
  const pid = Number.parseInt(lines[0] ?? "", 10);
  if (!isAlive(pid) || !(await serves(pid, cluster))) return undefined;
  return { pid, stopping: lines[7]?.trim() === "stopping" };
}

/**
 * Removes lock files whose process id has gone to another program: PostgreSQL, which looks at the id alone,
 * would refuse to start. Only for clusters without a holder. (Servers that somehow live on are still found: by
 * their shared memory, whose key is the folder's inode.)
 */
export async function removeStaleLocks(cluster: string, socketFolder: string): Promise<void> {
  for (const file of [path.join(cluster, "postmaster.pid"), path.join(socketFolder, ".s.PGSQL.5432.lock")]) {
    const pid = Number.parseInt(await readFile(file, "utf8").catch(() => ""), 10);
    if (isAlive(pid)) await rm(file, { force: true });
  }
}

/** Whether a process with this id exists, ours or not. */
export function isAlive(pid: number): boolean {
  // To kill(2), 0 and less are groups of processes.
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return err instanceof Error && "code" in err && err.code === "EPERM";
  }
}

// A postmaster works in its data folder. Where there is no /proc (macOS), its command line names the folder.
async function serves(pid: number, cluster: string): Promise<boolean> {
  const folder = await realpath(cluster);
  if (process.platform === "linux") {
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    return name.trim() === "postgres" && cwd === folder;
  }
  const { stdout } = await run("ps", ["-p", String(pid), "-o", "command="]).catch(() => ({ stdout: "" }));
  return stdout.includes("postgres") && stdout.includes(folder);
}
