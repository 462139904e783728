// Creates the task of `taskyard run`, and before it the one that brings the source.
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
  /** The folder to send, if any. */
  readonly folder: string | undefined;
  readonly progress: Spinner;
  /** Ends it before the task exists; then nothing is left behind. */
  readonly signal: AbortSignal;
}

export interface Submitted {
  readonly taskId: string;
  /** How many commands the task has; the last one is the user's. */
  readonly commands: number;
}

export async function submit(submission: Submission): Promise<Submitted> {
  const { client, request, signal } = submission;
  const taskId = slugid();
  const now = Date.now();
  const rootUrl = client.rootUrl;
  // The same times with and without: the deadline is needed before the preparation is there.
  const until = Date.parse(runDefinition({ ...request, rootUrl }, now, undefined).deadline);
  const preparation = await sendSource(submission, until);
  signal.throwIfAborted();
  const definition = runDefinition({ ...request, rootUrl }, now, preparation);
  await client.queue.createTask({ taskId }, definition);
  return { taskId, commands: preparation ? 2 : 1 };
}

async function sendSource(
  { client, target, request, folder, progress, signal }: Submission,
  until: number,
): Promise<Preparation | undefined> {
  if (folder === undefined) return undefined;
  progress.step("packing the folder");
  // Few runs send a folder, and what packs one takes its time to load.
  const { packSource } = await import("./source-archive.ts");
  const { uploadSource } = await import("./source-task.ts");
  const archive = await packSource(folder);
  try {
    progress.step(`sending ${archive.files} files, ${byteSize(archive.bytes)}`);
    const name = request.name ?? request.argv.join(" ");
    return await uploadSource({ client, target, archive, name, until, signal });
  } finally {
    await archive.remove();
  }
}
