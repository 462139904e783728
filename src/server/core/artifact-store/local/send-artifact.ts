// Sends an artifact: the whole content, a range, or 304 if it has not changed.
import type { FileHandle } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import parseRange from "range-parser";
import { ApiError } from "../../../../lib/errors.ts";
import { describeKey } from "../index.ts";
import type { Description } from "./files.ts";
import type { LocalStore } from "./local-store.ts";
import type { Grant } from "./signed-url.ts";
import { DamagedContent, requireSize, verifiedStream } from "./verified-stream.ts";
import { counted } from "../../../../lib/counted.ts";

/** Anyone who may run a task can create artifacts, and they share the origin of the API and its pages. */
const securityHeaders = {
  "x-content-type-options": "nosniff",
  // A page may only display itself with its own styles: no scripts, no forms, no origin.
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
};

/** Headers of an artifact that do not apply to an error sent in its place. */
const CONTENT_HEADERS = [
  "etag",
  "last-modified",
  "accept-ranges",
  "content-encoding",
  "content-length",
  "vary",
];

/**
 * Handles GET and HEAD. Throws `ResourceNotFound`, `AccessDenied`, `RangeNotSatisfiable`, and `InternalServerError` if
 * the content is damaged.
 */
export async function sendArtifact(
  store: LocalStore,
  { key }: Grant,
  request: FastifyRequest,
  reply: FastifyReply,
  onDamage: (error: DamagedContent) => void,
): Promise<FastifyReply> {
  refuseAsCode(request);
  const found = await store.files.read(key);
  if (!found)
    throw new ApiError(
      "ResourceNotFound",
      `There is no content for ${describeKey(key)}: ` +
        `its upload was never completed, is still in progress, or was removed. Wait for the run to end, or rerun the task.`,
    );
  const { description, bytes } = found;
  let body: Readable | undefined;
  try {
    await requireSize(bytes, description);
    body = await prepare(description, bytes, request, reply);
    body?.once("error", (err) => {
      if (err instanceof DamagedContent) onDamage(err);
    });
  } catch (err) {
    if (!(err instanceof DamagedContent)) throw err;
    onDamage(err);
    for (const header of CONTENT_HEADERS) reply.removeHeader(header);
    throw new ApiError(
      "InternalServerError",
      `The stored content of ${describeKey(key)} is damaged and cannot be sent. Only another upload can repair it: rerun the task.`,
      { cause: err },
    );
  } finally {
    // A stream closes the file itself.
    if (!body) await bytes.close();
  }
  return reply.send(body);
}

/** Sets status and headers. Returns the stream to send, if any. */
async function prepare(
  description: Description,
  bytes: FileHandle,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Readable | undefined> {
  const { contentType, contentEncoding, size, sha256, stored } = description;
  const { headers } = request;
  // Stored compressed, but the caller does not accept gzip (plain `curl`, for example): decompressed while it is sent.
  const decompress =
    contentEncoding === "gzip" && !acceptsGzip(headers["accept-encoding"]) && (await startsAsGzip(bytes));
  const etag = decompress ? `"${sha256}-plain"` : `"${sha256}"`;
  const unchanged = matches(headers["if-none-match"], etag);
  const range = decompress || unchanged ? undefined : rangeOf(headers, etag, size, reply);
  reply.headers({
    ...securityHeaders,
    etag,
    "last-modified": new Date(stored).toUTCString(),
    // May be cached but must be revalidated: an artifact can be uploaded again under its name.
    "cache-control": "no-cache",
    "accept-ranges": decompress ? "none" : "bytes",
    ...(contentEncoding === "gzip" && { vary: "accept-encoding" }),
  });
  if (unchanged) {
    reply.code(304);
    return undefined;
  }
  reply.header("content-type", contentType || "application/octet-stream");
  const sendBody = request.method === "GET";
  if (!range) {
    // The decompressed size is unknown until the end. If the content is damaged, the connection is aborted.
    return sendBody
      ? pipeline(await verifiedStream(bytes, description), createGunzip(), () => undefined)
      : undefined;
  }
  const { start, end, partial } = range;
  if (contentEncoding !== undefined) reply.header("content-encoding", contentEncoding);
  if (partial) reply.code(206).header("content-range", `bytes ${start}-${end}/${size}`);
  reply.header("content-length", end - start + 1);
  if (!sendBody || size === 0) return undefined;
  // A range cannot be verified without reading the whole content. Callers that need verification request all of it.
  return partial ? bytes.createReadStream({ start, end }) : verifiedStream(bytes, description);
}

/** Returns the range to send, inclusive of `end`. Multiple ranges are not supported: the reply is the whole content. */
function rangeOf(
  headers: FastifyRequest["headers"],
  etag: string,
  size: number,
  reply: FastifyReply,
): { start: number; end: number; partial: boolean } {
  const whole = { start: 0, end: size - 1, partial: false };
  const { range, "if-range": ifRange } = headers;
  // A date in If-Range never matches: its resolution is a second, within which an artifact may be replaced.
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return whole;
  const ranges = parseRange(size, range);
  if (ranges === -1) {
    reply.header("content-range", `bytes */${size}`);
    throw new ApiError(
      "RangeNotSatisfiable",
      `Range "${range}" starts after the artifact's ${counted(size, "byte")}: request a part that exists, or all of it.`,
    );
  }
  if (ranges === -2 || ranges.type !== "bytes" || ranges.length !== 1) return whole;
  return { ...whole, ...ranges[0], partial: true };
}

/** Checks the content itself: the uploader may have declared any encoding. */
async function startsAsGzip(bytes: FileHandle): Promise<boolean> {
  const { buffer } = await bytes.read(Buffer.alloc(2), 0, 2, 0);
  return buffer[0] === 0x1f && buffer[1] === 0x8b;
}

const matches = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  ifNoneMatch.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);

/** Reports whether `Accept-Encoding` has gzip or `*` with a weight above zero. */
const acceptsGzip = (accepted = ""): boolean =>
  accepted
    .split(",")
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/(?<!\s)\s*;\s*q=/),
    )
    .some(([coding, weight]) => /^(gzip|x-gzip|\*)$/.test(coding ?? "") && Number(weight ?? 1) > 0);

/**
 * Refuses requests for an artifact as code. Our own pages never load code from artifacts. Injected markup must not be
 * able to use one to satisfy a policy that allows scripts from this origin.
 */
function refuseAsCode({ headers }: FastifyRequest): void {
  const destination = headers["sec-fetch-dest"];
  if (
    headers["sec-fetch-site"] === "same-origin" &&
    typeof destination === "string" &&
    /script|work(er|let)|xslt/.test(destination)
  )
    throw new ApiError(
      "AccessDenied",
      "An artifact cannot be used as code by pages of the same origin. Open it directly, or download it.",
    );
}
