// `payload.artifacts`: saves files when the commands have ended.
import type { Extracted } from "../../engine.ts";
import { MalformedPayloadError } from "../../outcome.ts";
import { definePlugin } from "../../plugin.ts";
import type { Plugin, Verdict } from "../../plugin.ts";
import type { TaskContext } from "../../task-context.ts";
import { collect } from "./collect.ts";
import type { Item } from "./collect.ts";
import { contentEncodingOf, contentTypeOf } from "./content.ts";
import { faultsOf, nameFault, payloadSchema } from "./payload.ts";

// More would not be faster on the network connection of one machine, and each holds a socket and a compressed copy.
const concurrentUploads = 10;

/** Creates the plugin. `maxBytes` is the maximum size of an artifact. */
export function artifactsPlugin(maxBytes: number): Plugin {
  return definePlugin({
    name: "artifacts",
    payloadSchema,
    newTask(task, { artifacts: entries }) {
      const faults = faultsOf(entries, task.info, task.reservedArtifacts);
      if (faults.length > 0) throw new MalformedPayloadError(faults);
      return Promise.resolve({
        async stopped(results) {
          const items = await collect(entries, results, task.reservedArtifacts, task.log);
          const failures: string[] = [];
          await forEachConcurrently(items, concurrentUploads, async (item) => {
            const failure = await save(task, item, maxBytes);
            if (failure !== undefined && !item.entry.optional) failures.push(failure);
          });
          const [first] = failures.sort();
          return first === undefined
            ? { ok: true }
            : ({ ok: false, outcome: "failed", message: first } satisfies Verdict);
        },
      });
    },
  });
}

/** Uploads one item, or an error artifact in its place. Returns the failure, if any. */
async function save(task: TaskContext, item: Item, maxBytes: number): Promise<string | undefined> {
  const { name, entry } = item;
  const fault = nameFault(name);
  if (fault !== undefined) {
    // An error artifact cannot have such a name, either.
    const message = `The name of the file ${JSON.stringify(name)} ${fault}, so it cannot be an artifact.`;
    task.log.error(message);
    return message;
  }
  const expires = earlier(entry.expires ?? task.info.expires, task.info.expires);
  const found = checked(item, maxBytes);
  if (found.kind === "error") {
    const { reason, message } = found;
    const level = entry.optional ? "info" : "error";
    task.log[level](
      `Artifact "${name}" is ${entry.optional ? "missing (it is optional)" : "missing"}: ${message}`,
    );
    await task.artifacts.record(
      name,
      { storageType: "error", reason, message: message.slice(0, 4096), expires },
      task.signal,
    );
    return `Artifact "${name}": ${message}`;
  }
  const path = found.path === "" ? entry.path : found.path;
  const contentType = entry.contentType ?? contentTypeOf(path);
  const contentEncoding = entry.contentEncoding ?? contentEncodingOf(path);
  task.log.info(
    `Uploading artifact "${name}" (${found.size} bytes, ${contentType}, ${contentEncoding}, until ${expires})`,
  );
  await task.artifacts.file(
    { name, contentType, contentEncoding, expires, size: found.size, open: (range) => found.open(range) },
    task.signal,
  );
  return undefined;
}

function checked({ found }: Item, maxBytes: number): Extracted {
  const { path } = found;
  if (found.kind === "file" && found.size > maxBytes) {
    const message = `The file has ${found.size} bytes, but this worker allows at most ${maxBytes} bytes per artifact.`;
    return { kind: "error", path, reason: "too-large-file-on-worker", message };
  }
  return found;
}

/** Compares as dates, not as text: authors may use any ISO 8601 format. */
function earlier(a: string, b: string): string {
  return new Date(Math.min(Date.parse(a), Date.parse(b))).toISOString();
}

/** Calls `work` for all items, at most `limit` concurrently. Rejects with the first error when the others have ended. */
async function forEachConcurrently<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (failures.length > 0) return;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
}
