// Downloads artifacts of other tasks with the credentials of a run, resumed after failures.
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { openResumedStream, type ResumedStream } from "../client/artifacts/resumed-stream.ts";
import { ClientError } from "../client/client-error.ts";
import type { Clock } from "../lib/clock.ts";
import { formatSize } from "../lib/duration.ts";
import { isDiskFault } from "../lib/system-fault.ts";
import { ResourceUnavailableError, TaskFailedError } from "./outcome.ts";
import { isTransient, refusalOf } from "./queue-client.ts";
import type { QueueClient } from "./queue-client.ts";
import { tries } from "./store-requests.ts";

export interface ArtifactDownloader {
  /**
   * Saves an artifact of a task's latest run to a new file. Rejects with TaskFailedError if it cannot be read or is too large,
   * and with ResourceUnavailableError if the queue or the store still failed after retries.
   */
  save(
    artifact: { readonly taskId: string; readonly name: string },
    to: { readonly path: string; readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<{ readonly bytes: number; readonly sha256: string }>;
}

export interface DownloaderOptions {
  /** Returns the queue with the run's newest credentials. */
  queue(): QueueClient;
  readonly clock: Clock;
}

const method = "artifacts.download";

export function createDownloader({ queue, clock }: DownloaderOptions): ArtifactDownloader {
  return {
    async save({ taskId, name }, { path, maxBytes, signal }) {
      const what = `the artifact "${name}" of task ${taskId}`;
      const locate = async (): Promise<string> =>
        (await queue().getLatestArtifact({ taskId, name }, { signal, retries: 0 })).url;
      try {
        const source = await openResumedStream({ fetch, clock, retries: tries - 1, method, signal, locate });
        const tooLarge = `${what} has more than ${formatSize(maxBytes)}, the limit of this worker`;
        return await receive(source, path, { maxBytes, tooLarge, signal });
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof TaskFailedError || isDiskFault(error)) throw error;
        if (isTransient(error))
          throw new ResourceUnavailableError(
            `${what} could not be downloaded: rerun the task when the artifact store is available`,
            { cause: error },
          );
        // oxlint-disable-next-line messages/next-step -- the queue's reply, or that of the store, names it
        throw new TaskFailedError(`${what} cannot be read: ${reasonOf(error, name)}`, { cause: error });
      }
    },
  };
}

async function receive(
  source: ResumedStream,
  path: string,
  limit: { readonly maxBytes: number; readonly tooLarge: string; readonly signal: AbortSignal },
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(bytes > limit.maxBytes ? new TaskFailedError(limit.tooLarge) : null, chunk);
    },
  });
  try {
    const file = createWriteStream(path, { flags: "wx", mode: 0o600 });
    await pipeline(source.chunks, check, file, { signal: limit.signal });
    return { bytes, sha256: hash.digest("hex") };
  } catch (error) {
    source.cancel();
    await rm(path, { force: true });
    throw error;
  }
}

function reasonOf(error: unknown, name: string): string {
  // A refusal of the store, not of the queue.
  if (error instanceof ClientError && error.method === method) return error.message;
  if (refusalOf(error) === 403)
    return `the task may not read it. Its definition must list the scope queue:get-artifact:${name} in \`scopes\`.`;
  if (refusalOf(error) === 404) return "it does not exist. Check its name, and that the task creates it.";
  return error instanceof Error ? error.message : String(error);
}
