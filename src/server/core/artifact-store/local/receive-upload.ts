// Receives an upload: checks it against its signed URL and streams it to a file, all or nothing.
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { ApiError } from "../../../../lib/errors.ts";
import type { CheckUpload } from "../index.ts";
import type { Description } from "./files.ts";
import { expectedDigests, type ExpectedDigest } from "./expected-digests.ts";
import type { LocalStore } from "./local-store.ts";
import type { Grant } from "./signed-url.ts";
import { counted } from "../../../../lib/counted.ts";

/** Error codes of a full disk or an exhausted quota. */
const FULL = new Set<unknown>(["ENOSPC", "EDQUOT", "EFBIG"]);
/** Matches one or more names of encodings. */
const ENCODINGS = /^[\w-]+(\s*,\s*[\w-]+)*$/;

/**
 * An upload that took longer is checked again before it is stored: otherwise it could be started while the run runs,
 * and be ended as long after it as the connection lasts.
 */
const RECHECK_AFTER_MS = 5_000;

export interface UploadLimits {
  /** In bytes. */
  readonly maxSize: number;
  readonly checkUpload: CheckUpload;
}

/**
 * Stores the body of a request that `grant` allows. Returns the size and hash. A request that is too large, too short,
 * aborted, of the wrong type, or for a key that accepts no uploads any more leaves nothing behind, and does not affect the
 * previous content.
 */
export async function receiveUpload(
  store: LocalStore,
  grant: Grant,
  request: IncomingMessage,
  limits: UploadLimits,
  now: () => number,
): Promise<Pick<Description, "size" | "sha256">> {
  const { contentType, contentEncoding, length } = checkHeaders(request, grant, limits);
  const expected = expectedDigests(request.headers);
  const started = now();
  await limits.checkUpload(grant.key);
  try {
    const upload = await store.files.startUpload();
    try {
      const { digests, ...received } = await writeBody(request, upload.bytes, limits, expected);
      if (length !== undefined && received.size !== length) throw tooShort(received.size, length);
      for (const { algorithm, value, header } of expected)
        if (digests[algorithm] !== value) throw wrongDigest(algorithm, value, header, digests[algorithm]);
      if (now() - started > RECHECK_AFTER_MS) await limits.checkUpload(grant.key);
      await upload.commit(grant.key, {
        contentType,
        ...(contentEncoding !== undefined && { contentEncoding }),
        ...received,
        stored: new Date(now()).toISOString(),
      });
      return received;
    } finally {
      await upload.discard();
    }
  } catch (err) {
    if (!(err instanceof Error && "code" in err && FULL.has(err.code))) throw err;
    throw new ApiError(
      "InsufficientStorage",
      "The artifact store's disk is full. The upload was discarded. Free some space and upload again.",
      { cause: err },
    );
  }
}

function checkHeaders(
  { headers }: IncomingMessage,
  grant: Grant,
  { maxSize }: UploadLimits,
): { contentType: string; contentEncoding: string | undefined; length: number | undefined } {
  const contentType = headers["content-type"] ?? "";
  // HTTP strips spaces around a header's value.
  if (contentType !== grant.contentType.trim())
    throw new ApiError(
      "AccessDenied",
      `Content-Type is "${contentType}", but this URL was created for "${grant.contentType}". Send that type, or create the artifact again if its type changed.`,
    );
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (!ENCODINGS.test(encoding))
    throw new ApiError(
      "InvalidRequestArguments",
      `Content-Encoding "${encoding}" is not the name of an encoding, such as gzip.`,
    );
  const length = headers["content-length"] === undefined ? undefined : Number(headers["content-length"]);
  if (length !== undefined && length > maxSize) throw tooLarge(maxSize, length);
  return { contentType, contentEncoding: encoding === "identity" ? undefined : encoding, length };
}

async function writeBody(
  request: IncomingMessage,
  file: FileHandle,
  { maxSize }: UploadLimits,
  expected: readonly ExpectedDigest[],
): Promise<{ size: number; sha256: string; digests: Readonly<Record<string, string>> }> {
  const hash = createHash("sha256");
  // As expensive as SHA-256, so it is computed only if it is needed.
  const md5 = expected.some(({ algorithm }) => algorithm === "md5") ? createHash("md5") : undefined;
  let size = 0;
  // Ending the iteration must not destroy the request: its socket carries the error reply.
  const chunks: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxSize) throw tooLarge(maxSize);
    hash.update(chunk);
    md5?.update(chunk);
    // Not `write`, which may write only a part.
    await file.appendFile(chunk);
  }
  const sha256 = hash.digest("hex");
  return { size, sha256, digests: { sha256, ...(md5 && { md5: md5.digest("hex") }) } };
}

const tooLarge = (maxSize: number, length?: number): ApiError =>
  new ApiError(
    "InputTooLarge",
    `The artifact ${length === undefined ? "exceeds" : `has ${counted(length, "byte")}, which exceeds`} the limit of ` +
      `${maxSize} bytes (setting artifacts.maxSize). The upload was discarded.`,
  );

const wrongDigest = (algorithm: string, expected: string, header: string, actual = "?"): ApiError =>
  new ApiError(
    "MalformedPayload",
    `The ${algorithm} digest of the upload is ${actual}, but ${header} is ${expected}: the content changed in ` +
      `transit, or the header is wrong. The upload was discarded: repeat it.`,
  );

const tooShort = (size: number, length: number): ApiError =>
  new ApiError(
    "MalformedPayload",
    `The upload ended after ${counted(size, "byte")}, but Content-Length is ${length}. The upload was discarded: repeat it.`,
  );
