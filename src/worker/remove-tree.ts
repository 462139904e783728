// Removes folders that tasks have written to, whatever is in them.
import { execFile } from "node:child_process";
import { lstat, rm } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Removes a folder and its contents, also if they are read-only or deeper than the longest path. Rejects with the reason if
 * something cannot be removed: an immutable file, or a file system that is mounted there.
 */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    await removeByPrograms(folder);
  }
}

/** Uses programs that walk from folder to folder. Node builds paths, and the system refuses those of 4096 bytes. */
async function removeByPrograms(folder: string): Promise<void> {
  // Fails for files of other users, which rm may be able to remove.
  await run("chmod", ["-R", "u+rwx", "--", folder]).catch(() => undefined);
  try {
    await run("rm", ["-rf", "--", folder]);
  } catch (error) {
    if (!(await exists(folder))) return;
    throw new Error(`the folder ${folder} could not be removed: ${reasonOf(error)}. Remove it as root.`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
  // One line for each file. The first is enough.
  return text.trim().split("\n", 1)[0] ?? "";
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
