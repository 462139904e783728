// Finds the artifacts when the commands have ended: one item per name, a file or an error.
import type { Extracted, ResultSet } from "../../engine.ts";
import { MalformedPayloadError } from "../../outcome.ts";
import type { TaskLog } from "../../task-log.ts";
import { artifactName, type ArtifactEntry } from "./payload.ts";

export interface Item {
  readonly name: string;
  readonly entry: ArtifactEntry;
  readonly found: Exclude<Extracted, { kind: "omitted" }>;
}

/**
 * Returns one item per name. Throws MalformedPayloadError if two files have the same name. Two entries may match the same
 * file: then an entry for the file takes precedence over one for its folder.
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
      if (found.kind === "omitted") {
        log.warn(`Not saved in the artifact "${nameOf(entry, found)}": ${found.message}.`);
        continue;
      }
      const item = { name: nameOf(entry, found), entry, found };
      const other = items.get(item.name);
      if (reserved.has(item.name)) {
        log.warn(
          `Not uploading "${item.name}" from folder "${entry.path}": the worker writes that artifact itself.`,
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

function nameOf(entry: ArtifactEntry, found: Extracted): string {
  const top = artifactName(entry);
  if (found.path === "") return top;
  // With path "." or name "", the names of a folder's files have no prefix.
  return top === "" || top === "." ? found.path : `${top}/${found.path}`;
}

function sameFile(a: Item["found"], b: Item["found"]): boolean {
  return a.kind === "file" && b.kind === "file" ? a.identity === b.identity : a.kind === b.kind;
}
