// Reads files and folders whose path was checked before, and refuses what a process of the task has put in their place since.
import { constants, type Dirent, type Stats } from "node:fs";
import { open, readdir, readlink, realpath } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Range } from "../../../client/artifacts/upload-object.ts";
import { codeOf } from "../../../lib/error-code.ts";
import { systemFault } from "../../../lib/system-fault.ts";
import { UnreadableFileError } from "../../unreadable-file-error.ts";

/** Reads a file at a real path, which had these stats. Throws `UnreadableFileError`. */
export async function* readSame(
  path: string,
  checked: Stats,
  shown: string,
  range?: Range,
): AsyncGenerator<Buffer> {
  let file: FileHandle;
  try {
    file = await openPath(path, 0);
  } catch (error) {
    const missing = codeOf(error) === "ENOENT";
    throw new UnreadableFileError(
      missing ? "file-missing-on-worker" : "file-not-readable-on-worker",
      `File "${shown}" ${missing ? "was removed" : `cannot be read any more (${systemFault(error)})`} before it was saved: let no process of the task change it after the commands.`,
    );
  }
  try {
    const now = await file.stat();
    // The number of a removed file may be given to the one in its place.
    const isSame =
      now.isFile() && now.dev === checked.dev && now.ino === checked.ino && now.size === checked.size;
    if (!isSame || !(await isAt(file, path)))
      throw new UnreadableFileError("file-not-readable-on-worker", replaced(`File "${shown}"`));
    yield* file.createReadStream({ ...range, autoClose: false }) as AsyncIterable<Buffer>;
  } finally {
    await file.close();
  }
}

/** Lists a folder at a real path. Returns undefined if the path leads elsewhere by now. */
export async function listSame(path: string): Promise<Dirent[] | undefined> {
  const folder = await openPath(path, constants.O_DIRECTORY);
  try {
    if (!(await isAt(folder, path))) return undefined;
    return await readdir(handlePath(folder) ?? path, { withFileTypes: true });
  } finally {
    await folder.close();
  }
}

/** Returns the message about a file or folder that is another one by now. */
export const replaced = (what: string): string =>
  `${what} was replaced or changed while it was being saved: let no process of the task change it after the commands.`;

// Without O_NONBLOCK, opening a named pipe would wait for a writer, and with it a thread of the worker.
const openPath = (path: string, flags: number): Promise<FileHandle> =>
  open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | flags);

/** Returns the path under which Linux shows what is open, whatever has become of its own path. */
const handlePath = ({ fd }: FileHandle): string | undefined =>
  process.platform === "linux" ? `/proc/self/fd/${fd}` : undefined;

/** Reports whether what is open is at the path. It is elsewhere if a folder above has become a link: O_NOFOLLOW ignores that. */
async function isAt(file: FileHandle, path: string): Promise<boolean> {
  const handle = handlePath(file);
  return (handle === undefined ? await realpath(path) : await readlink(handle)) === path;
}
