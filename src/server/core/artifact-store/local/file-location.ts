// The layout of the local store's folder:
//
//   uploads/<random>                           uploads in progress
//   tasks/<ab>/<taskId>/<runId>/<id>.json      an artifact: its name, type, size … and the file that has its bytes
//   tasks/<ab>/<taskId>/<runId>/<id>.<random>  the uploaded bytes
//   objects/<ab>/<cd>/<id>.…                   the same for objects of the object service and their uploads
//
// <id> starts with a hash of the key: names may be longer than file names, contain `..`, and differ in ways that a file
// system ignores (case, trailing dots). The text after the hash is for readability only, like the name in the .json.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { StoreKey } from "../index.ts";
import { InternalError } from "../../../../lib/internal-error.ts";

export interface FileLocation {
  readonly folder: string;
  /** The prefix of the artifact's files in the folder. */
  readonly base: string;
}

export const nameOf = (key: StoreKey): string => ("object" in key ? key.object : key.name);

export function locateFile(dir: string, key: StoreKey): FileLocation {
  const readable = nameOf(key)
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .slice(-60);
  if ("object" in key) {
    const kind = "contentId" in key ? ["object", key.contentId] : ["upload", key.uploadId];
    const hash = hashOf([...kind, key.object]);
    return {
      folder: join(dir, "objects", hash.slice(0, 2), hash.slice(2, 4)),
      base: `${hash}-${readable}`,
    };
  }
  const { taskId, runId, name } = key;
  if (!/^[A-Za-z0-9_-]{22}$/.test(taskId) || !Number.isSafeInteger(runId) || runId < 0)
    throw new InternalError(`${taskId}/${runId} is not a valid run of a task`);
  // The hash includes the task id: on a case-insensitive file system, two tasks may share a folder.
  return {
    folder: join(dir, "tasks", taskId.slice(0, 2), taskId, String(runId)),
    base: `${hashOf([taskId, runId, name])}-${readable}`,
  };
}

const hashOf = (key: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 32);

export function groupByFolder<K extends StoreKey>(
  keys: readonly K[],
  locate: (key: StoreKey) => FileLocation,
): ReadonlyMap<string, readonly K[]> {
  const groups = new Map<string, K[]>();
  for (const key of keys) {
    const { folder } = locate(key);
    const group = groups.get(folder);
    if (group) group.push(key);
    else groups.set(folder, [key]);
  }
  return groups;
}
