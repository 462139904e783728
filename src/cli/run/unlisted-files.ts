// Finds what `git ls-files` leaves out without a word, although git does not ignore it: named pipes, sockets and devices, and
// folders that it cannot read.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Unlisted {
  /** Relative to the folder. */
  readonly special: readonly string[];
  readonly unreadable: readonly string[];
}

const maxBuffer = 256 * 1024 * 1024;

/** Looks through a folder in a repository, but not through other repositories in it. */
export async function unlistedFiles(folder: string): Promise<Unlisted> {
  const args = ["ls-files", "-z", "--others", "--ignored", "--directory", "--exclude-standard"];
  const { stdout } = await promisify(execFile)("git", args, { cwd: folder, maxBuffer });
  const special: string[] = [];
  const unreadable: string[] = [];
  // Folders of packages and builds, with most of the files, are ignored.
  const ignored = new Set(stdout.split("\0"));

  async function walk(prefix: string): Promise<void> {
    const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) {
      unreadable.push(prefix);
      return;
    }
    if (prefix !== "" && entries.some(({ name }) => name === ".git")) return;
    for (const entry of entries) {
      const path = `${prefix}${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== ".git" && !ignored.has(`${path}/`)) await walk(`${path}/`);
      } else if (!entry.isFile() && !entry.isSymbolicLink()) special.push(path);
    }
  }
  await walk("");
  const named = await ignoredOf(folder, special);
  return { special: special.filter((path) => !named.has(path)), unreadable };
}

/** Returns those of the paths that git ignores. */
async function ignoredOf(folder: string, paths: readonly string[]): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  const running = promisify(execFile)("git", ["check-ignore", "-z", "--stdin"], { cwd: folder, maxBuffer });
  running.child.stdin?.end(paths.join("\0"));
  // The status is 1 if it ignores none.
  const { stdout } = await running.catch(() => ({ stdout: "" }));
  return new Set(stdout.split("\0"));
}
