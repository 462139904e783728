// Unpacks an archive into a folder of a task, such that nothing is written outside of the folder.
import { createReadStream } from "node:fs";
import { chown, realpath, stat } from "node:fs/promises";
import { dirname, join, posix, sep } from "node:path";
import { extract } from "tar";
import { formatSize } from "../../../lib/duration.ts";
import { onAbort } from "../../../lib/linked-signal.ts";
import type { UserIds } from "../../../lib/system-users.ts";
import { TaskFailedError } from "../../outcome.ts";
import { makeFolder } from "../../../lib/make-folder.ts";

export interface Unpacking {
  readonly archive: string;
  readonly taskDir: string;
  /** Relative to `taskDir`, without `..`. */
  readonly directory: string;
  /** The maximum size of all files together. */
  readonly maxBytes: number;
  /** Receives a sentence for each entry that is left out. */
  warn(text: string): void;
  readonly signal: AbortSignal;
}

const maxWarnings = 20;

/**
 * Unpacks a `.tar.gz` file. Links that lead out of the folder are left out with a warning, as are devices and entries with a
 * path outside of it. The files belong to the owner of the task's folder.
 */
export async function unpack(unpacking: Unpacking): Promise<void> {
  const { archive, taskDir, directory, maxBytes, signal } = unpacking;
  const warn = limited(unpacking.warn);
  const owner = await ownerOf(taskDir);
  const folder = await createFolder(taskDir, directory, owner);
  const source = createReadStream(archive);
  let bytes = 0;
  const files = extract({
    cwd: folder,
    ...owner,
    onwarn(code, message) {
      if (code === "TAR_ENTRY_INVALID")
        source.destroy(
          new TaskFailedError(`the archive is damaged: ${message}. Rerun the task that made it.`),
        );
      else warn(message);
    },
    // An exception in here would not reach the caller.
    filter(path, entry) {
      bytes += entry.size ?? 0;
      if (bytes > maxBytes) {
        const limit = formatSize(maxBytes);
        source.destroy(
          new TaskFailedError(`the archive contains more than ${limit}, the limit of this worker`),
        );
        return false;
      }
      // Entries of archives have a link path; the type also covers the files of other functions of `tar`.
      const target = "linkpath" in entry && entry.type === "SymbolicLink" ? entry.linkpath : undefined;
      if (target === undefined || !leadsOut(path, target)) return true;
      warn(`left out ${path}: a link to ${target}, which is outside of the folder`);
      return false;
    },
  });
  signal.throwIfAborted();
  const ignoreAbort = onAbort(signal, () => void source.destroy(abortReason(signal)));
  try {
    await new Promise<void>((resolve, reject) => {
      source.once("error", reject);
      files.once("error", reject).once("close", resolve);
      source.pipe(files);
    });
  } finally {
    ignoreAbort();
    source.destroy();
  }
}

const abortReason = ({ reason }: AbortSignal): Error =>
  reason instanceof Error ? reason : new Error(String(reason));

/** Reports whether a symbolic link leaves the folder that `path` is relative to. */
export function leadsOut(path: string, target: string): boolean {
  if (target.startsWith("/")) return true;
  const resolved = posix.join(posix.dirname(path), target);
  return resolved === ".." || resolved.startsWith("../");
}

/** Returns a function that passes the first warnings on: an archive may have millions of entries. */
function limited(warn: (text: string) => void): (text: string) => void {
  let warnings = 0;
  return (text) => {
    warnings++;
    if (warnings <= maxWarnings) warn(text);
    else if (warnings === maxWarnings + 1) warn("left out more entries");
  };
}

/** Returns the owner of a folder if files have to be given to it: tasks may run as another user than a worker of root. */
async function ownerOf(folder: string): Promise<UserIds | undefined> {
  const { uid, gid } = await stat(folder);
  return uid === process.getuid?.() ? undefined : { uid, gid };
}

/** Creates the folder to unpack to, and checks that no link of an earlier archive leads out of the task's folder. */
async function createFolder(taskDir: string, directory: string, owner: UserIds | undefined): Promise<string> {
  const folder = join(taskDir, directory);
  const first = await makeFolder(folder);
  const [root, real] = await Promise.all([realpath(taskDir), realpath(folder)]);
  if (real !== root && !real.startsWith(root + sep))
    throw new TaskFailedError(
      `the directory ${directory} is a link that leads out of the task's folder: choose another one`,
    );
  if (owner !== undefined && first !== undefined) {
    for (let created = folder; created.length >= first.length; created = dirname(created))
      await chown(created, owner.uid, owner.gid);
  }
  return folder;
}
