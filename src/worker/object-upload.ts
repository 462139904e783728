// Uploads what is too large for one PUT: as an object, in parts where the store has them, with its hash.
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

/** The object service as the worker calls it; the typed client fits. */
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
  /** The same service, called as somebody else. */
  withCredentials(credentials: TaskCredentials): ObjectClient;
}

/** Some bytes of a file; `end` is the last of them. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface ObjectUpload {
  readonly objects: ObjectClient;
  /** What the queue said of the artifact. */
  readonly target: Extract<CreateArtifactReply, { storageType: "object" }>;
  readonly contentType: string;
  readonly size: number;
  open(range?: Range): Readable;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Repeats a call that may work a moment later. */
  retry<R>(call: () => Promise<R>): Promise<R>;
  /** One PUT; answers the ETag, and rejects where the store refuses. */
  put(request: Omit<PutFile, "signal">): Promise<string | undefined>;
}

/** Upload URLs are good for 45 minutes; a PUT begins with time to spare. */
export const FRESH_MS = 30 * 60_000;

/** Uploads the file and finishes the object, which is then still to be finished as an artifact. */
export async function uploadObject(upload: ObjectUpload): Promise<void> {
  const { target, contentType, size, clock, signal, retry } = upload;
  const { name, projectId, uploadId, expires } = target;
  const objects = upload.objects.withCredentials(target.credentials);
  const options = { signal, retries: 0 };
  // Of what the store took so far: a part that is sent again goes on from here.
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
    let askedAt = clock.now();
    for (let part = 1; part <= urls.partCount; part++) {
      if (part >= urls.firstPart + urls.urls.length || clock.now() - askedAt > FRESH_MS) {
        urls = (await begin(part)).multipartPutUrls ?? urls;
        askedAt = clock.now();
      }
      const start = (part - 1) * urls.partSize;
      const end = Math.min(start + urls.partSize, size) - 1;
      const url = urls.urls[part - urls.firstPart];
      if (url === undefined) throw new Error(`the object service gave no URL for part ${part} of ${name}`);
      const etag = await send(url, {}, { start, end });
      if (etag === undefined) throw new Error(`the store gave no ETag for part ${part} of ${name}`);
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

/** The same bytes, taken into a hash on their way. An error of the source is one of the result. */
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
