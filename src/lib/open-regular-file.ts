// Opens files that another process of the same user may have replaced.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { InternalError } from "./internal-error.ts";

/**
 * Opens a file for reading. Rejects if it is not a regular one. Without O_NONBLOCK, opening a named pipe waits for a writer: that
 * blocks a thread, of which a process has four for all its files. `flags` are added, such as O_NOFOLLOW.
 */
export async function openRegularFile(path: string, flags = 0): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  try {
    if (!(await file.stat()).isFile()) throw new InternalError(`${path} is not a regular file`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
