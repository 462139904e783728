// Where things lie in the folder of the local store:
//
//   uploads/<random>                         uploads under way
//   tasks/<ab>/<taskId>/<runId>/<id>.json    an artifact: its name, type, size … and the file with its bytes
//   tasks/<ab>/<taskId>/<runId>/<id>.<random>  the bytes as they came
//   objects/<ab>/<cd>/<id>.…                 the same for objects of the object service, and for uploads of them
//
// <id> is a hash of the key, for names are longer than file names, go up with `..`, and differ where a file system
// sees no difference (case, trailing dots); what follows the hash is for people, and so is the name in the .json.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { StoreKey } from "../index.ts";

export interface Place {
  readonly folder: string;
  /** What the artifact's files begin with, in that folder. */
  readonly base: string;
}

export const nameOf = (key: StoreKey): string => ("object" in key ? key.object : key.name);

export function placeOf(dir: string, key: StoreKey): Place {
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
    throw new Error(`${taskId}/${runId} is no run of a task`);
  // The task's id is in the hash although it is in the path: where case does not count, two tasks share a folder.
  return {
    folder: join(dir, "tasks", taskId.slice(0, 2), taskId, String(runId)),
    base: `${hashOf([taskId, runId, name])}-${readable}`,
  };
}

const hashOf = (key: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 32);

export function byFolder<K extends StoreKey>(
  keys: readonly K[],
  place: (key: StoreKey) => Place,
): ReadonlyMap<string, readonly K[]> {
  const groups = new Map<string, K[]>();
  for (const key of keys) {
    const { folder } = place(key);
    const group = groups.get(folder);
    if (group) group.push(key);
    else groups.set(folder, [key]);
  }
  return groups;
}
