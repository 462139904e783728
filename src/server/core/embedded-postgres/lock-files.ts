// Finds the server that uses a cluster, from PostgreSQL's lock files and the running processes.
import { execFile } from "node:child_process";
import { readFile, readlink, realpath, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Holder {
  /** Process id of the postmaster. */
  pid: number;
  /** Whether it is shutting down. */
  stopping: boolean;
}

/** Returns the running server of this cluster, if any. */
export async function findHolder(cluster: string): Promise<Holder | undefined> {
  const file = await readFile(path.join(cluster, "postmaster.pid"), "utf8").catch(() => "");
  const lines = file.split("\n");
  const pid = Number.parseInt(lines[0] ?? "", 10);
  if (!isAlive(pid) || !(await serves(pid, cluster))) return undefined;
  return { pid, stopping: lines[7]?.trim() === "stopping" };
}

/**
 * Removes lock files whose process id now belongs to another program: PostgreSQL checks only the id and would refuse to
 * start. Call it only for clusters without a holder. (A server that is still running would be detected anyway, by its
 * shared memory, whose key is the folder's inode.)
 */
export async function removeStaleLocks(cluster: string, socketFolder: string): Promise<void> {
  for (const file of [path.join(cluster, "postmaster.pid"), path.join(socketFolder, ".s.PGSQL.5432.lock")]) {
    const pid = Number.parseInt(await readFile(file, "utf8").catch(() => ""), 10);
    if (isAlive(pid)) await rm(file, { force: true });
  }
}

/** Reports whether a process with this id exists, of any user. */
export function isAlive(pid: number): boolean {
  // For kill(2), ids of 0 and less are process groups.
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return err instanceof Error && "code" in err && err.code === "EPERM";
  }
}

// The working directory of a postmaster is its data folder. Without /proc (macOS), its command line has the folder.
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
