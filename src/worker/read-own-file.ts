// Reads small files of the worker's folder. A task that runs as the worker's own user can replace them: by a named pipe, which
// would block a thread of the worker forever, by a link to another file, or by a file that fills the memory.
import { constants } from "node:fs";
import { InternalError } from "../lib/internal-error.ts";
import { openRegularFile } from "../lib/open-regular-file.ts";

const maxBytes = 64 * 1024;

/** Returns the text of a file. Rejects if it is no regular file, or larger than any file of the worker. */
export async function readOwnFile(path: string): Promise<string> {
  const file = await openRegularFile(path, constants.O_NOFOLLOW);
  try {
    if ((await file.stat()).size > maxBytes) throw new InternalError(`${path} is not a file of the worker`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
