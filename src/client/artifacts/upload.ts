// Uploads an artifact: registers it with the queue, sends its content to the store, and finishes it.
import type { Services } from "../../api/services.ts";
import type { CreateArtifactReply } from "../../api/queue/artifacts.ts";
import { retry } from "../../lib/retry.ts";
import { callBackoff, type Transport } from "../call.ts";
import { ClientError } from "../client-error.ts";
import type { ServiceMethods } from "../service-client.ts";
import { blobOf, contentTypeOf, type ArtifactContent } from "./artifact-content.ts";
import { createDigest } from "./digest.ts";
import type { OnProgress } from "./progress.ts";
import { putContent, type PutContent } from "./put-content.ts";
import { readBlob } from "./read-blob.ts";
import { isPassing, storeFailure, storeRefusal } from "./store-error.ts";
import { uploadObject, type ObjectClient } from "./upload-object.ts";
import { uploadToUrl } from "./upload-to-url.ts";

export interface ArtifactUpload {
  readonly taskId: string;
  readonly runId: number | string;
  readonly name: string;
  readonly content: ArtifactContent;
  /** Default: the type of a `Blob`, `text/plain` for text, otherwise `application/octet-stream`. */
  readonly contentType?: string | undefined;
  /** When the artifact is removed. Not after the task expires. */
  readonly expires: Date | string;
  /**
   * `object`: the hash is stored, so that downloads can verify it, and large contents are sent in parts. `s3`: one PUT, which
   * can be repeated for the same name. Default: `object`.
   */
  readonly storageType?: "object" | "s3" | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Ends the upload. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface UploadedArtifact {
  readonly size: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** The services that an upload calls. */
export interface UploadServices {
  readonly queue: Pick<ServiceMethods<Services["queue"]>, "createArtifact" | "finishArtifact">;
  readonly object: ObjectClient;
}

const method = "artifacts.upload";
// S3 replies with 400 to an upload that was idle for too long.
const isRetryable = (error: unknown): boolean =>
  isPassing(error) || (error instanceof ClientError && error.method === method && error.statusCode === 400);

/** Uploads the content. Rejects with a `ClientError`, or with the reason of the caller's signal. */
export async function uploadArtifact(
  transport: Transport,
  { queue, object }: UploadServices,
  artifact: ArtifactUpload,
): Promise<UploadedArtifact> {
  const { taskId, runId, name, signal, storageType = "object" } = artifact;
  const { clock, fetch } = transport;
  const content = blobOf(artifact.content);
  const { size } = content;
  const contentType = artifact.contentType ?? contentTypeOf(artifact.content);
  const expires = typeof artifact.expires === "string" ? artifact.expires : artifact.expires.toISOString();
  const of = { taskId, runId, name };
  const report = (bytes: number): void => artifact.onProgress?.({ bytes, total: size });
  const retried = <R>(attempt: () => Promise<R>): Promise<R> => {
    const delay = { clock, backoff: callBackoff };
    return retry({ tries: transport.retries + 1, retryable: isRetryable, delay, signal }, attempt);
  };
  const put = async (
    request: Pick<PutContent, "url" | "headers" | "content" | "digest">,
    before: number,
  ): Promise<string | undefined> => {
    const onSent = (bytes: number): void => report(before + bytes);
    const reply = await putContent({ ...request, fetch, clock, signal, onSent }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw storeFailure(method, request.url, error);
    });
    if (reply.status < 200 || reply.status > 299) throw storeRefusal(method, reply.status, reply.text);
    return reply.etag;
  };
  const stored = { contentType, contentLength: size, expires };

  report(0);
  if (storageType === "s3") {
    const [hash, checked] = await hashOf(content, signal);
    const requestUrl = async () =>
      ofType(await queue.createArtifact(of, { storageType: "s3", ...stored }, { signal }), "s3");
    await uploadToUrl({
      target: await requestUrl(),
      requestUrl,
      clock,
      retry: retried,
      async put(target) {
        // The local store compares the digest; others ignore it.
        const headers = { "content-type": target.contentType, "content-digest": `sha-256=:${checked}:` };
        await put({ url: target.putUrl, headers, content }, 0);
      },
    });
    return { size, sha256: hash };
  }
  const created = await queue.createArtifact(of, { storageType: "object", ...stored }, { signal });
  const target = ofType(created, "object");
  const { sha256 } = await uploadObject({
    objects: object,
    target,
    contentType,
    size,
    clock,
    signal,
    retry: retried,
    put: ({ range, url, headers, digest }) => {
      const part = range ? content.slice(range.start, range.end + 1) : content;
      return put({ url, headers, content: part, digest }, range?.start ?? 0);
    },
  });
  await queue.finishArtifact(of, { uploadId: target.uploadId }, { signal });
  return { size, sha256 };
}

function ofType<T extends "s3" | "object">(
  reply: CreateArtifactReply,
  type: T,
): Extract<CreateArtifactReply, { storageType: T }> {
  if (reply.storageType !== type)
    throw new Error(
      `the queue returned ${reply.storageType} storage instead of ${type}: use a server and a client of the same version`,
    );
  // Just checked; the compiler does not narrow by a type parameter.
  return reply as Extract<CreateArtifactReply, { storageType: T }>;
}

/** Returns the SHA-256 of a blob in hexadecimal and in base64. */
async function hashOf(
  content: Blob,
  signal: AbortSignal | undefined,
): Promise<readonly [hex: string, base64: string]> {
  const digest = await createDigest("sha256");
  await readBlob(content, signal, (bytes) => digest.update(bytes));
  const hex = digest.hex();
  const bytes = (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
  return [hex, btoa(String.fromCharCode(...bytes))];
}
