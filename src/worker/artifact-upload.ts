// Creates the artifacts of one run: registers them with the queue and uploads their bytes, with retries. Errors determine
// how the run must end.
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline as connectStreams, Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { CreateArtifactReply, CreateArtifactRequest } from "../api/queue/artifacts.ts";
import type { Digest } from "../client/artifacts/digest.ts";
import { uploadObject, type ObjectClient, type Range } from "../client/artifacts/upload-object.ts";
import { uploadToUrl } from "../client/artifacts/upload-to-url.ts";
import { callBackoff } from "../client/call.ts";
import type { Clock } from "../lib/clock.ts";
import { retry } from "../lib/retry.ts";
import { slugid } from "../lib/slugid.ts";
import { MalformedPayloadError, ResourceUnavailableError } from "./outcome.ts";
import { UnreadableFileError } from "./unreadable-file-error.ts";
import { putFile, type PutFile } from "./put-file.ts";
import { isDiskFault } from "../lib/system-fault.ts";
import { isTransient, refusalOf } from "./queue-client.ts";
import { StoreRefusal, tries } from "./store-requests.ts";
import type { QueueClient, RunParams } from "./queue-client.ts";

export interface FileUpload {
  readonly name: string;
  readonly contentType: string;
  /** With `gzip` the uploader compresses the bytes. `open` returns them uncompressed. */
  readonly contentEncoding: "identity" | "gzip";
  readonly expires: string;
  readonly size: number;
  /** Opens the whole file, or a range of it. */
  open(range?: Range): Readable;
}

export interface ArtifactUploader {
  /**
   * Rejects with MalformedPayloadError if the name belongs to an artifact with other content, with
   * ResourceUnavailableError if the queue or the store still failed after retries, with UnreadableFileError if the file can
   * no longer be read, and with the signal's reason when it aborts.
   */
  file(upload: FileUpload, signal: AbortSignal): Promise<void>;
  /** Creates an artifact without bytes: `reference`, `link` or `error`. Rejects as `file` does. */
  record(name: string, body: CreateArtifactRequest, signal: AbortSignal): Promise<void>;
}

export interface UploaderOptions {
  /** Returns the queue with the run's newest credentials. */
  queue(): QueueClient;
  readonly run: RunParams;
  readonly clock: Clock;
  /** The object service, with any credentials. */
  readonly objects: ObjectClient;
  /** The largest file that is uploaded in one PUT, in bytes. */
  readonly maxPutBytes: number;
  /** Folder for compressed copies. */
  readonly tempDir: string;
  /**
   * Checks whether the run still belongs to this worker, and aborts it if not. Called after a conflict, which is also the
   * queue's reply for a canceled run.
   */
  checkClaim(): Promise<void>;
}

export function createUploader(options: UploaderOptions): ArtifactUploader {
  const { queue, run, clock, tempDir, checkClaim, objects, maxPutBytes } = options;
  const delay = { clock, backoff: callBackoff };

  async function create(
    name: string,
    body: CreateArtifactRequest,
    signal: AbortSignal,
  ): Promise<CreateArtifactReply> {
    let replyLost = false;
    try {
      return await retry({ signal, tries, delay, retryable: isTransient }, async () => {
        try {
          return await queue().createArtifact({ ...run, name }, body, { signal, retries: 0 });
        } catch (error) {
          replyLost ||= isTransient(error);
          throw error;
        }
      });
    } catch (error) {
      signal.throwIfAborted();
      if (refusalOf(error) === 409) {
        await checkClaim();
        signal.throwIfAborted();
        // An artifact of this type can be created only once, and its credentials are only in the lost reply.
        if (replyLost && body.storageType === "object")
          throw new ResourceUnavailableError(
            `the queue's reply to the creation of the artifact "${name}" was lost: rerun the task`,
            { cause: error },
          );
        throw new MalformedPayloadError([
          `The artifact "${name}" exists already with other content: give each artifact a unique name.`,
        ]);
      }
      if (!isTransient(error)) throw error;
      throw new ResourceUnavailableError(
        `the queue did not create the artifact "${name}": rerun the task when the queue is available`,
        { cause: error },
      );
    }
  }

  /** Creates the artifact and uploads `body`. */
  async function send(
    file: FileUpload,
    body: Pick<FileUpload, "size" | "open">,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, contentType: type, expires, size } = file;
    const stored = { contentType: type, contentLength: size, expires };
    if (body.size > maxPutBytes)
      return sendObject(file, await create(name, { storageType: "object", ...stored }, signal), signal);
    const requestUrl = async () => {
      const reply = await create(name, { storageType: "s3", ...stored }, signal);
      if (reply.storageType !== "s3")
        throw new Error(
          `the queue returned ${reply.storageType} storage for "${name}", not an upload URL: update the server`,
        );
      return reply;
    };
    const target = await requestUrl();
    try {
      await uploadToUrl({
        target,
        requestUrl,
        clock,
        retry: (attempt) => retry({ signal, tries, delay, retryable: isRetryablePut }, attempt),
        async put({ contentType, putUrl }) {
          const headers = {
            "content-type": contentType,
            ...(file.contentEncoding === "gzip" ? { "content-encoding": "gzip" } : {}),
          };
          await put({ url: putUrl, headers, ...body, signal });
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryablePut(error)) throw error;
      throw new ResourceUnavailableError(
        `the artifact "${file.name}" could not be uploaded: rerun the task when the artifact store is available`,
        {
          cause: error,
        },
      );
    }
  }

  /** Uploads an artifact of type `object` in parts. Objects have no content encoding, so the bytes are sent as they are. */
  async function sendObject(
    file: FileUpload,
    target: CreateArtifactReply,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, contentType, size } = file;
    if (target.storageType !== "object")
      throw new Error(
        `the queue returned ${target.storageType} storage for "${name}", not an object: update the server`,
      );
    const retryable = (error: unknown): boolean => isTransient(error) && isRetryablePut(error);
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
        put: ({ range, digest, ...request }) =>
          put({ ...request, signal, open: () => hashing(file.open(range), digest) }),
      });
      const { uploadId } = target;
      await retried(() => queue().finishArtifact({ ...run, name }, { uploadId }, { signal, retries: 0 }));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UnreadableFileError) throw error;
      throw new ResourceUnavailableError(
        `the artifact "${name}" could not be uploaded: rerun the task when the artifact store is available`,
        { cause: error },
      );
    }
  }

  return {
    async record(name, body, signal) {
      await create(name, body, signal);
    },
    async file(file, signal) {
      if (file.contentEncoding === "identity") return send(file, file, signal);
      // Compressed to a file first: stores require the length in advance, and a retry does not compress again.
      const copy = join(tempDir, slugid());
      try {
        const size = await compress(file.open(), copy, signal);
        // Without space for a copy, the file is uploaded as it is.
        if (size === undefined) return await send({ ...file, contentEncoding: "identity" }, file, signal);
        await send(file, { size, open: () => createReadStream(copy) }, signal);
      } finally {
        await rm(copy, { force: true });
      }
    },
  };
}

/** Writes a compressed copy and returns its size, or undefined if the disk has no space for it. */
async function compress(source: Readable, copy: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    await pipeline(source, createGzip(), createWriteStream(copy, { flags: "wx", mode: 0o600 }), { signal });
    return (await stat(copy)).size;
  } catch (error) {
    if (!isDiskFault(error)) throw error;
    await rm(copy, { force: true });
    return undefined;
  }
}

/** Returns a stream of the same bytes that updates `digest`. Errors of the source are passed on. */
const hashing = (source: Readable, digest: Digest): Readable =>
  connectStreams(
    source,
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        digest.update(chunk);
        done(null, chunk);
      },
    }),
    () => undefined,
  );

/** Sends one PUT and returns the ETag. */
async function put(file: PutFile): Promise<string | undefined> {
  const { status, etag, text } = await putFile(file);
  if (status < 200 || status > 299) throw new StoreRefusal(status, text);
  return etag;
}

/** S3 replies with 400 to an upload that was idle for too long, so this status is retryable too. */
function isRetryablePut(error: unknown): boolean {
  // Errors of the request for another URL, which has its own retries.
  if (error instanceof MalformedPayloadError || error instanceof ResourceUnavailableError) return false;
  if (error instanceof UnreadableFileError) return false;
  if (!(error instanceof StoreRefusal)) return true;
  return error.statusCode >= 500 || [400, 408, 429].includes(error.statusCode);
}
