// Sends documents that rarely change. Browsers and proxies cache them and revalidate by ETag.
import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { setApiHeaders } from "./headers.ts";

/** A document as it is sent. */
export interface CachedDocument {
  /** Not text, which would be encoded again for each reply: three seconds for three thousand of the largest document. */
  readonly bytes: Buffer;
  /** `content-type`, and headers that override those of all replies. */
  readonly headers: Readonly<Record<string, string>>;
  /** The `etag` header. Weak, since it is the same for the compressed and the uncompressed document. */
  readonly etag: string;
}

// Long enough to save round trips on a page with many links, short enough to pick up an upgrade soon.
const MAX_AGE_SECONDS = 300;

/** Returns a JSON document, indented for reading in a browser. */
export const jsonDocument = (content: unknown): CachedDocument =>
  cachedDocument(JSON.stringify(content, null, 2), { "content-type": "application/json; charset=utf-8" });

/** Returns a document of any content type. */
export function cachedDocument(text: string, headers: CachedDocument["headers"]): CachedDocument {
  const bytes = Buffer.from(text);
  const etag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 27)}"`;
  return { bytes, headers, etag };
}

/** Sends the document, or 304 if the caller's copy is current. */
export function sendDocument(
  request: FastifyRequest,
  reply: FastifyReply,
  { bytes, headers, etag }: CachedDocument,
): FastifyReply {
  setApiHeaders(request, reply);
  const vary = "accept-encoding";
  reply.headers({ ...headers, "cache-control": `public, max-age=${MAX_AGE_SECONDS}`, etag, vary });
  return isCurrent(request.headers["if-none-match"], etag) ? reply.code(304).send() : reply.send(bytes);
}

/** Compares the ETag with `If-None-Match`, a list of tags or a star. Weak and strong tags are equivalent here. */
function isCurrent(ifNoneMatch: string | undefined, etag: string): boolean {
  const strong = (tag: string): string => tag.trim().replace(/^W\//, "");
  const tags = (ifNoneMatch ?? "").split(",").map(strong);
  return tags.includes("*") || tags.includes(strong(etag));
}
