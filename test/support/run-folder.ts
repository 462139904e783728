// The folder of all temporary files of a test run.
import { chmod, mkdtemp, readdir, readFile, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { isAlive } from "../../src/server/core/embedded-postgres/lock-files.ts";

const prefix = "taskyard-run-";

/** Creates the folder, and makes it the TMPDIR of the tests and of the processes that they start. */
export default async function setup(): Promise<() => Promise<void>> {
  const parent = await parentFolder();
  await removeAbandoned(parent);
  const folder = await mkdtemp(path.join(parent, `${prefix}${process.pid}-`));
  // As /tmp: if the tests run as root, PostgreSQL and some tasks run as other users.
  await chmod(folder, 0o1777);
  const { TMPDIR } = process.env;
  process.env["TMPDIR"] = folder;
  return async () => {
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = TMPDIR;
    // Retried: a killed process may have a child that still writes.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };
}

/**
 * Returns TMPDIR, or a folder in memory if it has space. A run writes gigabytes of databases that live for seconds, which
 * takes 40 s more of system time on a disk.
 */
async function parentFolder(): Promise<string> {
  const memory = "/dev/shm";
  if (process.env["TMPDIR"] !== undefined) return tmpdir();
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }));
  if (bavail * bsize < 4 * 1024 ** 3) return tmpdir();
  const mounts = await readFile("/proc/mounts", "utf8");
  const options = mounts.split("\n").find((line) => line.split(" ")[1] === memory);
  // Tests run programs from there.
  return options === undefined || options.includes("noexec") ? tmpdir() : memory;
}

/** Removes the folders of killed runs. Their servers have ended with them, but the folders remain. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : 0;
    if (pid === 0 || isAlive(pid)) continue;
    await rm(path.join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
