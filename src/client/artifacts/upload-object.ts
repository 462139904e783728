// Uploads the content of an object: in parts if the store supports them, with a hash. Independent of how bytes are read and
// sent: workers send files, and programs send blobs.
import type { CreateUploadRequest, UploadMethod } from "../../api/object/schemas.ts";
import type { CreateArtifactReply } from "../../api/queue/artifacts.ts";
import type { TaskCredentials } from "../../api/queue/claim.ts";
import type { Clock } from "../../lib/clock.ts";
import { createDigest, type Digest } from "./digest.ts";
import { URL_LIFETIME_MS } from "./upload-to-url.ts";

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly retries: number;
}

/** The object service as an upload calls it. The typed client implements it. */
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
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Retries a call after transient failures. */
  retry<R>(call: () => Promise<R>): Promise<R>;
  /** Sends one PUT and returns the ETag. Rejects if the store refuses it. */
  put(request: ObjectPut): Promise<string | undefined>;
}

export interface ObjectPut {
  readonly url: string;
  /** Without Content-Length, which `put` sets from `size`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly size: number;
  /** The bytes to send. Default: all. */
  readonly range: Range | undefined;
  /** To be updated with the bytes. */
  readonly digest: Digest;
}

/** Uploads the content and finishes the object. Resolves to the hash. The caller must then finish the artifact. */
export async function uploadObject(upload: ObjectUpload): Promise<{ readonly sha256: string }> {
  const { target, contentType, size, clock, signal, retry } = upload;
  const { name, projectId, uploadId, expires } = target;
  const objects = upload.objects.withCredentials(target.credentials);
  const options = { signal, retries: 0 };
  // Covers the parts that the store has accepted. Each try of a part continues from a copy.
  let digest = await createDigest("sha256");

  async function begin(firstPart: number): Promise<UploadMethod> {
    const content = { contentType, contentLength: size };
    const proposedUploadMethods = { putUrl: content, multipartPutUrls: { ...content, firstPart } };
    const body = { projectId, uploadId, expires, proposedUploadMethods };
    return (await retry(() => objects.createUpload({ name }, body, options))).uploadMethod;
  }

  const send = (url: string, headers: Readonly<Record<string, string>>, range?: Range) =>
    retry(async () => {
      const attempt = digest.copy();
      const length = range ? range.end - range.start + 1 : size;
      const etag = await upload.put({ url, headers, size: length, range, digest: attempt });
      digest = attempt;
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
  else if (putUrl) await send(putUrl.url, withoutLength(putUrl.headers));
  else throw new Error(`the object service offered no way to upload ${name}`);
  const hashes = { sha256: digest.hex() };
  const body = { projectId, uploadId, hashes, ...(partEtags && { partEtags }) };
  await retry(() => objects.finishUpload({ name }, body, options));
  return hashes;
}

/** Names that differ only in case become one header with two values, which newer versions of undici refuse. */
function withoutLength(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { "content-length": _, ...others } = Object.fromEntries(new Headers(headers));
  return others;
}
