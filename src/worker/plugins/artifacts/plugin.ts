// `payload.artifacts`: saves files when the commands have ended.
import { MalformedPayloadError, ResourceUnavailableError } from "../../outcome.ts";
import { UnreadableFileError } from "../../unreadable-file-error.ts";
import { definePlugin } from "../../plugin.ts";
import type { Plugin, Verdict } from "../../plugin.ts";
import { refusalOf } from "../../queue-client.ts";
import type { ErrorReason } from "../../queue-client.ts";
import type { TaskContext } from "../../task-context.ts";
import { messageOf } from "../../worker-monitor.ts";
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
    faults: ({ artifacts }, task) => faultsOf(artifacts, task),
    newTask(task, { artifacts: entries }) {
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
  const found = checked(item, maxBytes);
  if (found.kind === "error") return await recordError(task, item, found.reason, found.message);
  const expires = expiryOf(task, item);
  const path = found.path === "" ? entry.path : found.path;
  const contentType = entry.contentType ?? contentTypeOf(path);
  const contentEncoding = entry.contentEncoding ?? contentEncodingOf(path);
  task.log.info(
    `Uploading artifact "${name}" (${found.size} bytes, ${contentType}, ${contentEncoding}, until ${expires})`,
  );
  try {
    await task.artifacts.file(
      { name, contentType, contentEncoding, expires, size: found.size, open: (range) => found.open(range) },
      task.signal,
    );
    return undefined;
  } catch (error) {
    // Faults of the task as a whole, or of the connection, which concern the other artifacts too.
    if (
      task.signal.aborted ||
      error instanceof MalformedPayloadError ||
      error instanceof ResourceUnavailableError
    )
      throw error;
    if (error instanceof UnreadableFileError)
      return await recordError(task, item, error.reason, error.message);
    if (refusalOf(error) === undefined) throw error;
    task.monitor.warn("an artifact was refused", { err: error, artifact: name });
    return await recordError(task, item, "invalid-resource-on-worker", `It was refused: ${messageOf(error)}`);
  }
}

/** Creates an error artifact, and returns the failure. */
async function recordError(
  task: TaskContext,
  item: Item,
  reason: ErrorReason,
  message: string,
): Promise<string> {
  const { name, entry } = item;
  task.log[entry.optional ? "info" : "error"](
    `Artifact "${name}" is ${entry.optional ? "missing (it is optional)" : "missing"}: ${message}`,
  );
  const body = {
    storageType: "error",
    reason,
    message: message.slice(0, 4096),
    expires: expiryOf(task, item),
  } as const;
  try {
    await task.artifacts.record(name, body, task.signal);
  } catch (error) {
    // Refused, if the artifact was created before the upload failed. The log has the reason then.
    if (!(error instanceof MalformedPayloadError) && refusalOf(error) === undefined) throw error;
    task.monitor.warn("an error artifact was refused", { err: error, artifact: name });
  }
  return `Artifact "${name}": ${message}`;
}

const expiryOf = ({ info }: TaskContext, { entry }: Item): string =>
  earlier(entry.expires ?? info.expires, info.expires);

function checked({ found }: Item, maxBytes: number): Item["found"] {
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

/**
 * Calls `work` for all items, at most `limit` concurrently. Rejects with the first error when the others have ended. Only an
 * error that concerns one item leaves the remaining ones to be done.
 */
async function forEachConcurrently<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (failures.some((error) => !(error instanceof MalformedPayloadError))) return;
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
