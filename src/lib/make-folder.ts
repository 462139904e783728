// Creates a folder with its parents.
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "./error-code.ts";

/**
 * Creates a folder, and its parents if they do not exist, all with the mode. Returns the first that was created, or undefined if the
 * folder exists. Not `mkdir` with `recursive`: that never ends where the system refuses new folders with ENOENT, as below /proc.
 */
export async function makeFolder(path: string, mode?: number): Promise<string | undefined> {
  try {
    return await makeOne(path, mode);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
  }
  const first = await makeFolder(dirname(path), mode);
  const own = await makeOne(path, mode);
  return first ?? own;
}

async function makeOne(path: string, mode: number | undefined): Promise<string | undefined> {
  try {
    await mkdir(path, mode);
    return path;
  } catch (error) {
    const isThere = codeOf(error) === "EEXIST" && (await stat(path)).isDirectory();
    if (!isThere) throw error;
    return undefined;
  }
}
