// Creates the task of `taskyard run`, after the task that provides its source.
import { slugid } from "../../lib/slugid.ts";
import { runDefinition, type RunRequest } from "./definition.ts";
import { sendSource, type SentSource } from "./send-source.ts";

export interface Submission extends Omit<SentSource, "folder" | "name" | "until"> {
  readonly request: Omit<RunRequest, "rootUrl">;
  /** The folder to send. Undefined: none. */
  readonly folder: string | undefined;
}

/** Resolves to the id of the task. If the signal aborts before the task is created, leaves nothing behind. */
export async function submit({ request, folder, ...options }: Submission): Promise<string> {
  const { client, signal } = options;
  const taskId = slugid();
  const now = Date.now();
  const rootUrl = client.rootUrl;
  // The source does not change the deadline, until which it is kept.
  const until = Date.parse(runDefinition({ ...request, rootUrl }, now, undefined).deadline);
  const name = request.name ?? request.argv.join(" ");
  const source = folder === undefined ? undefined : await sendSource({ ...options, folder, name, until });
  signal.throwIfAborted();
  const definition = runDefinition({ ...request, rootUrl }, now, source);
  await client.queue.createTask({ taskId }, definition);
  return taskId;
}
