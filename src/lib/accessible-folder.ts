// Where a process of root keeps folders that another user cannot enter at their usual place, such as below /root.
import { chmod, mkdtemp, rmdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "./make-folder.ts";

export const accessibleFolder = "/var/lib/taskyard";

export interface Elsewhere {
  /** The folder for the new one, usually `accessibleFolder`. */
  readonly parent: string;
  /** The start of the name. */
  readonly prefix: string;
  readonly mode: number;
}

/** Replaces an empty folder with a link to a new one elsewhere, and returns the path of that. */
export async function linkElsewhere(folder: string, { parent, prefix, mode }: Elsewhere): Promise<string> {
  await rmdir(folder);
  if ((await makeFolder(parent)) !== undefined) await chmod(parent, 0o755);
  // A random name, not one derived from the folder's: after `rm -r` of a home, a new home must not get the old data.
  const target = await mkdtemp(join(parent, prefix));
  await chmod(target, mode);
  await symlink(target, folder);
  return target;
}
