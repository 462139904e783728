// Creates the artifacts of one run: asks the queue, uploads the bytes, tries again, and says what failed in terms
// of how the run must end.
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Backoff } from "../lib/backoff.ts";
import type { CreateArtifactReply, CreateArtifactRequest } from "../api/queue/artifacts.ts";
import type { Clock } from "../lib/clock.ts";
import { slugid } from "../lib/slugid.ts";
import { MalformedPayloadError, ResourceUnavailableError } from "./outcome.ts";
import { putFile } from "./put-file.ts";
import { isPassing, refusalOf } from "./queue-client.ts";
import type { QueueClient, RunParams } from "./queue-client.ts";
import { retrying } from "./retry.ts";

export interface FileUpload {
  readonly name: string;
  readonly contentType: string;
  /** With `gzip` the bytes are compressed here; what `open` gives is plain. */
  readonly contentEncoding: "identity" | "gzip";
  readonly expires: string;
  readonly size: number;
  open(): Readable;
}

export interface ArtifactUploader {
  /**
   * Rejects with MalformedPayloadError where the name is taken by something else, with ResourceUnavailableError
   * where queue or store did not work in spite of repeats, and with the signal's reason when it fires.
   */
  file(upload: FileUpload, signal: AbortSignal): Promise<void>;
  /** Creates an artifact that is no more than a record: `reference`, `link` or `error`. Rejects as `file` does. */
  record(name: string, body: CreateArtifactRequest, signal: AbortSignal): Promise<void>;
}

export interface UploaderOptions {
  /** The queue with the run's newest credentials. */
  queue(): QueueClient;
  readonly run: RunParams;
  readonly clock: Clock;
  /** Folder for compressed copies. */
  readonly tempDir: string;
  /** Asked when the queue refuses with a conflict, since a canceled run looks like that too; it aborts the run if so. */
  stillOurs(): Promise<void>;
}

const backoff: Backoff = { baseMs: 100, maxMs: 30_000, jitter: 0.25 };
// Ten tries of this back-off span about a minute and a half: longer than a restart of a server.
const tries = 10;

class UploadRefused extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(`the store answered ${status}${text === "" ? "" : `: ${text}`}`);
    this.status = status;
  }
}

export function createUploader(options: UploaderOptions): ArtifactUploader {
  const { queue, run, clock, tempDir, stillOurs } = options;

  async function create(
    name: string,
    body: CreateArtifactRequest,
    signal: AbortSignal,
  ): Promise<CreateArtifactReply> {
    try {
      return await retrying({ clock, signal, backoff, tries, retryable: isPassing }, () =>
        queue().createArtifact({ ...run, name }, body, { signal, retries: 0 }),
      );
    } catch (error) {
      signal.throwIfAborted();
      if (refusalOf(error) === 409) {
        await stillOurs();
        signal.throwIfAborted();
        throw new MalformedPayloadError([
          `The artifact "${name}" exists already with other content: give each artifact a name of its own.`,
        ]);
      }
      if (!isPassing(error)) throw error;
      throw new ResourceUnavailableError(`the queue did not create the artifact "${name}"`, { cause: error });
    }
  }

  async function upload(
    file: FileUpload,
    reply: CreateArtifactReply,
    body: Pick<FileUpload, "size" | "open">,
    signal: AbortSignal,
  ): Promise<void> {
    if (reply.storageType !== "s3") {
      throw new Error(`the queue gave no URL to upload "${file.name}" to, but ${reply.storageType} storage`);
    }
    const { putUrl, contentType } = reply;
    const headers = {
      "content-type": contentType,
      ...(file.contentEncoding === "gzip" ? { "content-encoding": "gzip" } : {}),
    };
    try {
      await retrying({ clock, signal, backoff, tries, retryable: worthAnotherPut }, async () => {
        const { status, text } = await putFile({ url: putUrl, headers, ...body, signal });
        if (status < 200 || status > 299) throw new UploadRefused(status, text);
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!worthAnotherPut(error)) throw error;
      throw new ResourceUnavailableError(`the artifact "${file.name}" could not be uploaded`, {
        cause: error,
      });
    }
  }

  return {
    async record(name, body, signal) {
      await create(name, body, signal);
    },
    async file(file, signal) {
      const { name, contentType, expires, size } = file;
      const reply = await create(
        name,
        { storageType: "s3", contentType, contentLength: size, expires },
        signal,
      );
      if (file.contentEncoding === "identity") {
        await upload(file, reply, file, signal);
        return;
      }
      // Compressed to a file first: stores want the length in advance, and a retry then costs no second compression.
      const copy = join(tempDir, slugid());
      try {
        await pipeline(file.open(), createGzip(), createWriteStream(copy, { flags: "wx", mode: 0o600 }), {
          signal,
        });
        const { size: compressed } = await stat(copy);
        await upload(file, reply, { size: compressed, open: () => createReadStream(copy) }, signal);
      } finally {
        await rm(copy, { force: true });
      }
    },
  };
}

/** S3 answers 400 to an upload that it found idle for too long, so that counts as passing as well. */
function worthAnotherPut(error: unknown): boolean {
  if (!(error instanceof UploadRefused)) return true;
  return error.status >= 500 || [400, 408, 429].includes(error.status);
}
