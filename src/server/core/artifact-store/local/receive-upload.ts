// Takes in one upload: checked against what was signed, streamed to a file, and all or nothing.
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { ApiError } from "../../../../lib/errors.ts";
import type { Description } from "./files.ts";
import { givenDigests, type GivenDigest } from "./given-digests.ts";
import type { LocalStore } from "./local-store.ts";
import type { Grant } from "./signed-url.ts";

/** What says that the disk, or somebody's share of it, is full. */
const FULL = new Set<unknown>(["ENOSPC", "EDQUOT", "EFBIG"]);
/** Names of codings, one or a list. */
const ENCODINGS = /^[\w-]+(\s*,\s*[\w-]+)*$/;

export interface UploadLimits {
  /** Bytes. */
  readonly maxSize: number;
}

/**
 * Stores the body of a request that came with `grant`; answers what was stored. A request that is too large, too
 * short, torn off or of the wrong type leaves nothing behind, and what was stored before stays.
 */
export async function receiveUpload(
  store: LocalStore,
  grant: Grant,
  request: IncomingMessage,
  limits: UploadLimits,
  now: () => number,
): Promise<Pick<Description, "size" | "sha256">> {
  const { contentType, contentEncoding, length } = checkedHeaders(request, grant, limits);
  const given = givenDigests(request.headers);
  try {
    const upload = await store.files.begin();
    try {
      const { digests, ...received } = await writeBody(request, upload.bytes, limits, given);
      if (length !== undefined && received.size !== length) throw cutShort(received.size, length);
      for (const { algorithm, value, header } of given)
        if (digests[algorithm] !== value) throw otherContent(algorithm, value, header, digests[algorithm]);
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
      "The artifact store's disk is full, so nothing of this upload was kept. Make room, and upload again.",
      { cause: err },
    );
  }
}

function checkedHeaders(
  { headers }: IncomingMessage,
  grant: Grant,
  { maxSize }: UploadLimits,
): { contentType: string; contentEncoding: string | undefined; length: number | undefined } {
  const contentType = headers["content-type"] ?? "";
  // Spaces around a header's value are not part of it, so none are compared.
  if (contentType !== grant.contentType.trim())
    throw new ApiError(
      "AccessDenied",
      `Content-Type is "${contentType}", but this URL was made for "${grant.contentType}". Send that, and create the artifact anew if its type changed.`,
    );
  const given = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (!ENCODINGS.test(given))
    throw new ApiError(
      "InvalidRequestArguments",
      `Content-Encoding "${given}" is not the name of an encoding, such as gzip.`,
    );
  const length = headers["content-length"] === undefined ? undefined : Number(headers["content-length"]);
  if (length !== undefined && length > maxSize) throw tooLarge(maxSize, length);
  return { contentType, contentEncoding: given === "identity" ? undefined : given, length };
}

async function writeBody(
  request: IncomingMessage,
  file: FileHandle,
  { maxSize }: UploadLimits,
  given: readonly GivenDigest[],
): Promise<{ size: number; sha256: string; digests: Readonly<Record<string, string>> }> {
  const hash = createHash("sha256");
  // Costs as much again, so only for those who give one.
  const md5 = given.some(({ algorithm }) => algorithm === "md5") ? createHash("md5") : undefined;
  let size = 0;
  // The request is not destroyed when we stop reading, for its socket must carry the reply that says why.
  const chunks: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxSize) throw tooLarge(maxSize);
    hash.update(chunk);
    md5?.update(chunk);
    // Not `write`, which may write a part only.
    await file.appendFile(chunk);
  }
  const sha256 = hash.digest("hex");
  return { size, sha256, digests: { sha256, ...(md5 && { md5: md5.digest("hex") }) } };
}

const tooLarge = (maxSize: number, length?: number): ApiError =>
  new ApiError(
    "InputTooLarge",
    `The artifact ${length === undefined ? "goes beyond" : `has ${length} bytes, and so goes beyond`} the ` +
      `${maxSize} bytes that this server takes (setting artifacts.maxSize). Nothing of it was kept.`,
  );

const otherContent = (algorithm: string, given: string, header: string, found = "?"): ApiError =>
  new ApiError(
    "MalformedPayload",
    `The upload has the ${algorithm} ${found}, but ${header} announced ${given}: it was changed on the way, or the ` +
      `header belongs to something else. Nothing of it was kept.`,
  );

const cutShort = (size: number, length: number): ApiError =>
  new ApiError(
    "MalformedPayload",
    `The upload ended after ${size} bytes, but Content-Length announced ${length}. Nothing of it was kept.`,
  );
