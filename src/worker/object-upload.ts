// Uploads files that are too large for one PUT: as objects, in parts if the store supports them, with a hash.
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { pipeline, Transform } from "node:stream";
import type { CreateUploadRequest, UploadMethod } from "../api/object/schemas.ts";
import type { CreateArtifactReply } from "../api/queue/artifacts.ts";
import type { TaskCredentials } from "../api/queue/claim.ts";
import type { Clock } from "../lib/clock.ts";
import type { PutFile } from "./put-file.ts";

interface CallOptions {
  readonly signal: AbortSignal;
  readonly retries: number;
}

/** The object service as the worker calls it. The typed client implements it. */
export interface ObjectClient {
  createUpload(
    params: { readonly name: string },
    body: CreateUploadRequest,
    options: CallOptions,
  ): Promise<{ readonly uploadMethod: UploadMethod }>;
  finishUpload(
    params: { readonly name: string },
    body: {
      readonly projectId: string;
      readonly uploadId: string;
      readonly hashes: { readonly sha256: string };
      readonly partEtags?: string[];
    },
    options: CallOptions,
  ): Promise<unknown>;
  /** The same service, called with other credentials. */
  withCredentials(credentials: TaskCredentials): ObjectClient;
}

/** A range of bytes of a file. `end` is inclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface ObjectUpload {
  readonly objects: ObjectClient;
  /** The queue's reply to createArtifact. */
  readonly target: Extract<CreateArtifactReply, { storageType: "object" }>;
  readonly contentType: string;
  readonly size: number;
  open(range?: Range): Readable;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Retries a call after transient failures. */
  retry<R>(call: () => Promise<R>): Promise<R>;
  /** Sends one PUT and returns the ETag. Rejects if the store refuses it. */
  put(request: Omit<PutFile, "signal">): Promise<string | undefined>;
}

/** How long an upload URL is used. It is valid for 45 minutes, and a PUT must start with time to spare. */
export const URL_LIFETIME_MS = 30 * 60_000;

/** Uploads the file and finishes the object. The caller must then finish the artifact. */
export async function uploadObject(upload: ObjectUpload): Promise<void> {
  const { target, contentType, size, clock, signal, retry } = upload;
  const { name, projectId, uploadId, expires } = target;
  const objects = upload.objects.withCredentials(target.credentials);
  const options = { signal, retries: 0 };
  // Covers the parts that the store has accepted. Each try of a part continues from a copy.
  let hash = createHash("sha256");

  async function begin(firstPart: number): Promise<UploadMethod> {
    const content = { contentType, contentLength: size };
    const proposedUploadMethods = { putUrl: content, multipartPutUrls: { ...content, firstPart } };
    const body = { projectId, uploadId, expires, proposedUploadMethods };
    return (await retry(() => objects.createUpload({ name }, body, options))).uploadMethod;
  }

  const send = (url: string, headers: Readonly<Record<string, string>>, range?: Range) =>
    retry(async () => {
      const attempt = hash.copy();
      const etag = await upload.put({
        url,
        headers,
        size: range ? range.end - range.start + 1 : size,
        open: () => hashing(upload.open(range), attempt),
      });
      hash = attempt;
      return etag;
    });

  async function sendParts(first: NonNullable<UploadMethod["multipartPutUrls"]>): Promise<string[]> {
    const etags: string[] = [];
    let urls = first;
    let requestedAt = clock.now();
    for (let part = 1; part <= urls.partCount; part++) {
      if (part >= urls.firstPart + urls.urls.length || clock.now() - requestedAt > URL_LIFETIME_MS) {
        urls = (await begin(part)).multipartPutUrls ?? urls;
        requestedAt = clock.now();
      }
      const start = (part - 1) * urls.partSize;
      const end = Math.min(start + urls.partSize, size) - 1;
      const url = urls.urls[part - urls.firstPart];
      if (url === undefined)
        throw new Error(`the object service returned no URL for part ${part} of ${name}: update the server`);
      const etag = await send(url, {}, { start, end });
      if (etag === undefined)
        throw new Error(
          `the store returned no ETag for part ${part} of ${name}: check that it is an S3-compatible store`,
        );
      etags.push(etag);
    }
    return etags;
  }

  const { putUrl, multipartPutUrls } = await begin(1);
  let partEtags: string[] | undefined;
  if (multipartPutUrls) partEtags = await sendParts(multipartPutUrls);
  else if (putUrl) await send(putUrl.url, putUrl.headers);
  else throw new Error(`the object service offered no way to upload ${name}`);
  const body = {
    projectId,
    uploadId,
    hashes: { sha256: hash.digest("hex") },
    ...(partEtags && { partEtags }),
  };
  await retry(() => objects.finishUpload({ name }, body, options));
}

/** Returns a stream of the same bytes that updates `hash`. Errors of the source are passed on. */
const hashing = (source: Readable, hash: { update(chunk: Buffer): unknown }): Readable =>
  pipeline(
    source,
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    }),
    () => undefined,
  );
