// Sends documents that change only with an upgrade: cached by browsers and proxies, and asked again by their tag.
import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { setApiHeaders } from "./headers.ts";

/** A document as it goes over the wire. */
export interface WireDocument {
  readonly text: string;
  /** `content-type`, and what takes the place of the headers that every answer carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** As in the header `etag`: weak, since it stands for the document compressed or not. */
  readonly etag: string;
}

// Long enough to spare a page with many links its round trips, short enough that an upgrade is seen soon.
const MAX_AGE_SECONDS = 300;

/** A JSON document, indented for the people who open it in a browser. */
export const jsonDocument = (content: unknown): WireDocument =>
  wireDocument(JSON.stringify(content, null, 2), { "content-type": "application/json; charset=utf-8" });

/** A document of any type. */
export const wireDocument = (text: string, headers: WireDocument["headers"]): WireDocument => ({
  text,
  headers,
  etag: `W/"${createHash("sha256").update(text).digest("base64url").slice(0, 27)}"`,
});

/** Sends a document, or 304 where the caller has it already. */
export function sendDocument(
  request: FastifyRequest,
  reply: FastifyReply,
  { text, headers, etag }: WireDocument,
): FastifyReply {
  setApiHeaders(request, reply);
  const vary = "accept-encoding";
  reply.headers({ ...headers, "cache-control": `public, max-age=${MAX_AGE_SECONDS}`, etag, vary });
  return hasAlready(request.headers["if-none-match"], etag) ? reply.code(304).send() : reply.send(text);
}

/** `If-None-Match` is a list of tags, or a star. Whether a tag is weak does not count here. */
function hasAlready(ifNoneMatch: string | undefined, etag: string): boolean {
  const strong = (tag: string): string => tag.trim().replace(/^W\//, "");
  const tags = (ifNoneMatch ?? "").split(",").map(strong);
  return tags.includes("*") || tags.includes(strong(etag));
}
