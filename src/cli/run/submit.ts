// Creates the task of `taskyard run`, after the task that provides its source.
import { slugid } from "../../lib/slugid.ts";
import type { Client } from "../../client/connect.ts";
import { byteSize } from "../format.ts";
import type { Spinner } from "../spinner.ts";
import type { Target } from "../target.ts";
import { runDefinition, type Preparation, type RunRequest } from "./definition.ts";

export interface Submission {
  readonly client: Client;
  readonly target: Target;
  readonly request: Omit<RunRequest, "rootUrl">;
  /** The folder to send. Undefined: none. */
  readonly folder: string | undefined;
  readonly spinner: Spinner;
  /** Aborts before the task is created, and leaves nothing behind. */
  readonly signal: AbortSignal;
}

export interface Submitted {
  readonly taskId: string;
  /** Number of commands in the task. The user's is the last one. */
  readonly commands: number;
}

export async function submit(submission: Submission): Promise<Submitted> {
  const { client, request, signal } = submission;
  const taskId = slugid();
  const now = Date.now();
  const rootUrl = client.rootUrl;
  // A preparation does not change the deadline, which it needs.
  const until = Date.parse(runDefinition({ ...request, rootUrl }, now, undefined).deadline);
  const preparation = await sendSource(submission, until);
  signal.throwIfAborted();
  const definition = runDefinition({ ...request, rootUrl }, now, preparation);
  await client.queue.createTask({ taskId }, definition);
  return { taskId, commands: preparation ? 2 : 1 };
}

async function sendSource(
  { client, target, request, folder, spinner, signal }: Submission,
  until: number,
): Promise<Preparation | undefined> {
  if (folder === undefined) return undefined;
  spinner.update("packing the folder");
  // Imported here: few runs send a folder, and the archiver takes long to load.
  const { packSource } = await import("./source-archive.ts");
  const { uploadSource } = await import("./source-task.ts");
  const archive = await packSource(folder);
  try {
    spinner.update(`uploading ${archive.files} files, ${byteSize(archive.bytes)}`);
    const name = request.name ?? request.argv.join(" ");
    return await uploadSource({ client, target, archive, name, until, signal });
  } finally {
    await archive.remove();
  }
}
