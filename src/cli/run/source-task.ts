// Provides a folder to a task: this process creates and resolves a separate task with the archive as its artifact, and the
// task that needs the folder depends on it. Rationale: docs/decisions/026-source-task-of-a-run.md.
import { openAsBlob } from "node:fs";
import { slugid } from "../../lib/slugid.ts";
import type { Client } from "../../client/connect.ts";
import { CliError } from "../cli-error.ts";
import { storeFault } from "../store-fault.ts";
import type { SourceMount } from "./definition.ts";
import { localOwner } from "./local-owner.ts";
import type { SourceArchive } from "./source-archive.ts";

/** No worker serves this queue: whatever creates its tasks also resolves them. */
export const SOURCE_QUEUE = "taskyard/source";
/**
 * Returns the name of the artifact. It is not below `public/`, because a working folder is private, and it contains the task's
 * id, so that the scope to read it covers nothing else.
 */
const sourceArtifact = (taskId: string): string => `taskyard/source/${taskId}.tar.gz`;

const hour = 3_600_000;

export interface SourceUpload {
  readonly client: Client;
  readonly archive: SourceArchive;
  readonly name: string;
  /** The time until which the archive is kept and can be fetched, in milliseconds since the epoch. */
  readonly until: number;
  readonly signal: AbortSignal;
}

/** Uploads the archive. Resolves to the additions to each task that needs it. */
export async function uploadSource(upload: SourceUpload): Promise<SourceMount> {
  const { client, archive, until, signal } = upload;
  const taskId = slugid();
  const artifact = sourceArtifact(taskId);
  await client.queue.createTask({ taskId }, sourceDefinition(upload, Date.now()), { signal });
  const run = { taskId, runId: 0 };
  try {
    const by = { workerGroup: "taskyard", workerId: "run" };
    const { credentials } = await client.queue.claimTask(run, by, { signal });
    const worker = client.withCredentials(credentials);
    await worker.artifacts
      .upload({
        ...run,
        name: artifact,
        content: await openAsBlob(archive.path),
        contentType: "application/gzip",
        expires: new Date(until),
        storageType: "s3",
        signal,
      })
      .catch((error: unknown) => {
        const fault = storeFault(error);
        throw fault === undefined ? error : uploadError(fault.reason, error);
      });
    await worker.queue.reportCompleted(run, { signal });
  } catch (error) {
    // Nothing else resolves this task before its deadline.
    await client.queue.cancelTask({ taskId }, { retries: 0 }).catch(() => undefined);
    throw error;
  }
  return {
    dependencies: [taskId],
    taskGroupId: taskId,
    scopes: [`queue:get-artifact:${artifact}`],
    mounts: [{ content: { taskId, artifact }, directory: ".", format: "tar.gz" }],
  };
}

function sourceDefinition({ client, name, until }: SourceUpload, now: number) {
  const at = (ms: number): string => new Date(ms).toISOString();
  return {
    taskQueueId: SOURCE_QUEUE,
    created: at(now),
    // An upload that takes longer than one claim has failed.
    deadline: at(now + hour),
    expires: at(Math.max(until, now + 2 * hour)),
    payload: {},
    metadata: {
      name: `source of ${name}`.slice(0, 255),
      description: "The folder in which `taskyard run --cwd-tarball` ran.",
      owner: localOwner(),
      source: client.rootUrl,
    },
  };
}

const uploadError = (reason: string, cause: unknown): CliError =>
  new CliError(
    `cannot upload the source: ${reason.trim()}. Check that this machine reaches the artifact store, and try again.`,
    { cause },
  );
