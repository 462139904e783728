// Creates the task of `taskyard run`, after the task that provides its source.
import { slugid } from "../../lib/slugid.ts";
import type { Client } from "../../client/connect.ts";
import { byteSize } from "../format.ts";
import type { Spinner } from "../spinner.ts";
import { runDefinition, type RunRequest, type SourceMount } from "./definition.ts";

export interface Submission {
  readonly client: Client;
  readonly request: Omit<RunRequest, "rootUrl">;
  /** The folder to send. Undefined: none. */
  readonly folder: string | undefined;
  readonly spinner: Spinner;
  /** Aborts before the task is created, and leaves nothing behind. */
  readonly signal: AbortSignal;
}

/** Resolves to the id of the task. */
export async function submit(submission: Submission): Promise<string> {
  const { client, request, signal } = submission;
  const taskId = slugid();
  const now = Date.now();
  const rootUrl = client.rootUrl;
  // The source does not change the deadline, until which it is kept.
  const until = Date.parse(runDefinition({ ...request, rootUrl }, now, undefined).deadline);
  const source = await sendSource(submission, until);
  signal.throwIfAborted();
  const definition = runDefinition({ ...request, rootUrl }, now, source);
  await client.queue.createTask({ taskId }, definition);
  return taskId;
}

async function sendSource(
  { client, request, folder, spinner, signal }: Submission,
  until: number,
): Promise<SourceMount | undefined> {
  if (folder === undefined) return undefined;
  spinner.update("packing the folder");
  // Imported here: few runs send a folder, and the archiver takes long to load.
  const { packSource } = await import("./source-archive.ts");
  const { uploadSource } = await import("./source-task.ts");
  const archive = await packSource(folder);
  try {
    spinner.update(`uploading ${archive.files} files, ${byteSize(archive.bytes)}`);
    const name = request.name ?? request.argv.join(" ");
    return await uploadSource({ client, archive, name, until, signal });
  } finally {
    await archive.remove();
  }
}
