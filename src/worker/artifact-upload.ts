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
import { retry } from "../lib/retry.ts";
import { slugid } from "../lib/slugid.ts";
import { MalformedPayloadError, ResourceUnavailableError } from "./outcome.ts";
import { FRESH_MS, uploadObject, type ObjectClient, type Range } from "./object-upload.ts";
import { putFile, type PutFile } from "./put-file.ts";
import { isPassing, refusalOf } from "./queue-client.ts";
import type { QueueClient, RunParams } from "./queue-client.ts";

export interface FileUpload {
  readonly name: string;
  readonly contentType: string;
  /** With `gzip` the bytes are compressed here; what `open` gives is plain. */
  readonly contentEncoding: "identity" | "gzip";
  readonly expires: string;
  readonly size: number;
  /** All of it, or some bytes. */
  open(range?: Range): Readable;
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
  /** The object service, whatever its credentials. */
  readonly objects: ObjectClient;
  /** The largest file that goes to the store in one PUT. */
  readonly maxPutBytes: number;
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
  const { queue, run, clock, tempDir, stillOurs, objects, maxPutBytes } = options;
  const delay = { clock, backoff };

  async function create(
    name: string,
    body: CreateArtifactRequest,
    signal: AbortSignal,
  ): Promise<CreateArtifactReply> {
    let unanswered = false;
    try {
      return await retry({ signal, tries, delay, retryable: isPassing }, async () => {
        try {
          return await queue().createArtifact({ ...run, name }, body, { signal, retries: 0 });
        } catch (error) {
          unanswered ||= isPassing(error);
          throw error;
        }
      });
    } catch (error) {
      signal.throwIfAborted();
      if (refusalOf(error) === 409) {
        await stillOurs();
        signal.throwIfAborted();
        // Of this type it is created once, and what was lost with the answer is not told again.
        if (unanswered && body.storageType === "object")
          throw new ResourceUnavailableError(
            `the queue's answer to the creation of the artifact "${name}" was lost`,
            { cause: error },
          );
        throw new MalformedPayloadError([
          `The artifact "${name}" exists already with other content: give each artifact a name of its own.`,
        ]);
      }
      if (!isPassing(error)) throw error;
      throw new ResourceUnavailableError(`the queue did not create the artifact "${name}"`, { cause: error });
    }
  }

  /** Creates and uploads it, `body` being the bytes to send. */
  async function send(
    file: FileUpload,
    body: Pick<FileUpload, "size" | "open">,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, contentType: type, expires, size } = file;
    const stored = { contentType: type, contentLength: size, expires };
    if (body.size > maxPutBytes)
      return sendObject(file, await create(name, { storageType: "object", ...stored }, signal), signal);
    const ask = async () => {
      const reply = await create(name, { storageType: "s3", ...stored }, signal);
      if (reply.storageType !== "s3")
        throw new Error(`the queue gave no URL to upload "${name}" to, but ${reply.storageType} storage`);
      return { ...reply, askedAt: clock.now() };
    };
    let target = await ask();
    try {
      await retry({ signal, tries, delay, retryable: worthAnotherPut }, async () => {
        if (clock.now() - target.askedAt > FRESH_MS) target = await ask();
        const headers = {
          "content-type": target.contentType,
          ...(file.contentEncoding === "gzip" ? { "content-encoding": "gzip" } : {}),
        };
        await put({ url: target.putUrl, headers, ...body, signal });
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!worthAnotherPut(error)) throw error;
      throw new ResourceUnavailableError(`the artifact "${file.name}" could not be uploaded`, {
        cause: error,
      });
    }
  }

  /** Of type object, whose bytes go in parts. It has no encoding: its readers get them as they are. */
  async function sendObject(
    file: FileUpload,
    target: CreateArtifactReply,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, contentType, size } = file;
    if (target.storageType !== "object")
      throw new Error(`the queue gave no object to upload "${name}" to, but ${target.storageType} storage`);
    const retryable = (error: unknown): boolean => isPassing(error) && worthAnotherPut(error);
    const retried = <R>(call: () => Promise<R>): Promise<R> =>
      retry({ signal, tries, delay, retryable }, call);
    try {
      await uploadObject({
        objects,
        target,
        contentType,
        size,
        clock,
        signal,
        retry: retried,
        open: (range) => file.open(range),
        put: (request) => put({ ...request, signal }),
      });
      const { uploadId } = target;
      await retried(() => queue().finishArtifact({ ...run, name }, { uploadId }, { signal, retries: 0 }));
    } catch (error) {
      signal.throwIfAborted();
      throw new ResourceUnavailableError(`the artifact "${name}" could not be uploaded`, { cause: error });
    }
  }

  return {
    async record(name, body, signal) {
      await create(name, body, signal);
    },
    async file(file, signal) {
      if (file.contentEncoding === "identity") return send(file, file, signal);
      // Compressed to a file first: stores want the length in advance, and a retry then costs no second compression.
      const copy = join(tempDir, slugid());
      try {
        await pipeline(file.open(), createGzip(), createWriteStream(copy, { flags: "wx", mode: 0o600 }), {
          signal,
        });
        const { size } = await stat(copy);
        await send(file, { size, open: () => createReadStream(copy) }, signal);
      } finally {
        await rm(copy, { force: true });
      }
    },
  };
}

/** One PUT; answers the ETag. */
async function put(file: PutFile): Promise<string | undefined> {
  const { status, etag, text } = await putFile(file);
  if (status < 200 || status > 299) throw new UploadRefused(status, text);
  return etag;
}

/** S3 answers 400 to an upload that it found idle for too long, so that counts as passing as well. */
function worthAnotherPut(error: unknown): boolean {
  // What the queue said when it was asked for another URL, as often as that makes sense.
  if (error instanceof MalformedPayloadError || error instanceof ResourceUnavailableError) return false;
  if (!(error instanceof UploadRefused)) return true;
  return error.status >= 500 || [400, 408, 429].includes(error.status);
}
