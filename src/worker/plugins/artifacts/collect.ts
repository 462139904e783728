// Finds what is to be uploaded when the commands are done: one item for each name, file or error.
import type { Extracted, ResultSet } from "../../engine.ts";
import { MalformedPayloadError } from "../../outcome.ts";
import type { TaskLog } from "../../task-log.ts";
import type { ArtifactEntry } from "./payload.ts";

export interface Item {
  readonly name: string;
  readonly entry: ArtifactEntry;
  readonly found: Extracted;
}

/**
 * All items, by name. A name that two files claim is the author's mistake (MalformedPayloadError); that two entries
 * reach the same file is not, and the entry that names the file itself counts more than one that names its folder.
 */
export async function collect(
  entries: readonly ArtifactEntry[],
  results: ResultSet,
  reserved: ReadonlySet<string>,
  log: TaskLog,
): Promise<readonly Item[]> {
  const items = new Map<string, Item>();
  const filesFirst = [...entries].sort((a, b) => Number(b.type === "file") - Number(a.type === "file"));
  for (const entry of filesFirst) {
    for await (const found of find(entry, results)) {
      const item = { name: nameOf(entry, found), entry, found };
      const other = items.get(item.name);
      if (reserved.has(item.name)) {
        log.warn(
          `Not uploading "${item.name}" from folder "${entry.path}": the worker itself writes that artifact.`,
        );
      } else if (other === undefined) {
        items.set(item.name, item);
      } else if (!sameFile(other.found, found)) {
        throw new MalformedPayloadError([
          `payload.artifacts gives the name "${item.name}" to two different files; give one of them another "name"`,
        ]);
      }
    }
  }
  return [...items.values()];
}

async function* find(entry: ArtifactEntry, results: ResultSet): AsyncGenerator<Extracted> {
  if (entry.type === "file") yield await results.extractFile(entry.path);
  else yield* results.extractFolder(entry.path);
}

function nameOf({ name, path }: ArtifactEntry, found: Extracted): string {
  const top = (name ?? path).replace(/\/+$/, "");
  if (found.path === "") return top;
  // A folder's whole content may be meant to stand at the top: path "." or name "".
  return top === "" || top === "." ? found.path : `${top}/${found.path}`;
}

function sameFile(a: Extracted, b: Extracted): boolean {
  return a.kind === "file" && b.kind === "file" ? a.identity === b.identity : a.kind === b.kind;
}
