// Sends an artifact: whole, a range of it, or only the news that it did not change.
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
import { DamagedContent, requireSize, verifiedStream } from "./verified.ts";

/** Artifacts are made by anybody who may run a task, and come from the origin of the API and its pages. */
const harmless = {
  "x-content-type-options": "nosniff",
  // A page may show itself, styled by itself, and do nothing: no scripts, no forms, no origin.
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
};

/** What is true of an artifact, and not of the error that is sent in its place. */
const CONTENT_HEADERS = [
  "etag",
  "last-modified",
  "accept-ranges",
  "content-encoding",
  "content-length",
  "vary",
];

/** Answers GET and HEAD; throws `ResourceNotFound`, `AccessDenied`, `RangeNotSatisfiable`, and `InternalServerError` for damaged content. */
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
        `its upload was never completed, is still under way, or was removed.`,
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
      `The stored content of ${describeKey(key)} is damaged, so it is not sent: only another upload can mend it.`,
      { cause: err },
    );
  } finally {
    // What streams the bytes closes them.
    if (!body) await bytes.close();
  }
  return reply.send(body);
}

/** Sets status and headers; answers what is to be streamed, if anything. */
async function prepare(
  description: Description,
  bytes: FileHandle,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Readable | undefined> {
  const { contentType, contentEncoding, size, sha256, stored } = description;
  const { headers } = request;
  // Stored compressed and asked for by somebody who cannot read that, such as plain `curl`: sent as it was before.
  const inflated =
    contentEncoding === "gzip" && !acceptsGzip(headers["accept-encoding"]) && (await beginsAsGzip(bytes));
  const etag = inflated ? `"${sha256}-plain"` : `"${sha256}"`;
  const unchanged = matches(headers["if-none-match"], etag);
  const range = inflated || unchanged ? undefined : rangeOf(headers, etag, size, reply);
  reply.headers({
    ...harmless,
    etag,
    "last-modified": new Date(stored).toUTCString(),
    // To be kept and asked about: an artifact may be uploaded again under its name.
    "cache-control": "no-cache",
    "accept-ranges": inflated ? "none" : "bytes",
    ...(contentEncoding === "gzip" && { vary: "accept-encoding" }),
  });
  if (unchanged) {
    reply.code(304);
    return undefined;
  }
  reply.header("content-type", contentType || "application/octet-stream");
  const wanted = request.method === "GET";
  if (!range) {
    // Its size is not known before the end. What turns out to be damaged ends with the connection, not well.
    return wanted
      ? pipeline(await verifiedStream(bytes, description), createGunzip(), () => undefined)
      : undefined;
  }
  const { start, end, partial } = range;
  if (contentEncoding !== undefined) reply.header("content-encoding", contentEncoding);
  if (partial) reply.code(206).header("content-range", `bytes ${start}-${end}/${size}`);
  reply.header("content-length", end - start + 1);
  if (!wanted || size === 0) return undefined;
  // A part cannot be checked without reading the whole; who wants to be sure asks for that.
  return partial ? bytes.createReadStream({ start, end }) : verifiedStream(bytes, description);
}

/** The bytes to send, `end` included. Several ranges at once are not offered, and answered with the whole. */
function rangeOf(
  headers: FastifyRequest["headers"],
  etag: string,
  size: number,
  reply: FastifyReply,
): { start: number; end: number; partial: boolean } {
  const whole = { start: 0, end: size - 1, partial: false };
  const { range, "if-range": ifRange } = headers;
  // A date in If-Range is to the second, in which an upload may follow another, so it never counts as equal.
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return whole;
  const ranges = parseRange(size, range);
  if (ranges === -1) {
    reply.header("content-range", `bytes */${size}`);
    throw new ApiError("RangeNotSatisfiable", `Range "${range}" begins after the artifact's ${size} bytes.`);
  }
  if (ranges === -2 || ranges.type !== "bytes" || ranges.length !== 1) return whole;
  return { ...whole, ...ranges[0], partial: true };
}

/** Uploaders say what they like. */
async function beginsAsGzip(bytes: FileHandle): Promise<boolean> {
  const { buffer } = await bytes.read(Buffer.alloc(2), 0, 2, 0);
  return buffer[0] === 0x1f && buffer[1] === 0x8b;
}

const matches = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  ifNoneMatch.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);

/** Whether `Accept-Encoding` names gzip, or anything, with a weight that is not zero. */
const acceptsGzip = (accepted = ""): boolean =>
  accepted
    .split(",")
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*q=/),
    )
    .some(([coding, weight]) => /^(gzip|x-gzip|\*)$/.test(coding ?? "") && Number(weight ?? 1) > 0);

/**
 * Our own pages never take code from artifacts; whoever managed to put markup into one must not get around its
 * policy that scripts come from this origin.
 */
function refuseAsCode({ headers }: FastifyRequest): void {
  const destination = headers["sec-fetch-dest"];
  if (
    headers["sec-fetch-site"] === "same-origin" &&
    typeof destination === "string" &&
    /script|work(er|let)|xslt/.test(destination)
  )
    throw new ApiError("AccessDenied", "An artifact cannot be used as code by pages of the same origin.");
}
