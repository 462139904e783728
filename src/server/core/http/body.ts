// Reading request bodies: JSON only, limited after inflating, the raw text kept for the payload hash of Hawk.
import { createGunzip, createInflate } from "node:zlib";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "../../../lib/errors.ts";

/** What the parser leaves on a request: the parsed body, and its text as it came. */
export interface JsonBody {
  readonly text: string;
  readonly value: unknown;
}

/** Teaches a server (or a scope of it) to read JSON bodies of at most `limit` bytes; other types are not read. */
export function readJsonBodies(app: FastifyInstance, limit: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>(
    "application/json",
    { parseAs: "string", bodyLimit: limit },
    (_request, text, done) => {
      try {
        done(null, parseJson(text));
      } catch (err) {
        done(err as Error, undefined);
      }
    },
  );
  // A body of another type is left unread: the method either takes no input, or refuses the type itself.
  app.addContentTypeParser("*", (_request, payload, done) => {
    payload.resume();
    done(null, undefined);
  });
  app.addHook("preParsing", (request, _reply, payload, done) => {
    const encoding = request.headers["content-encoding"];
    if (encoding === undefined || encoding === "identity") return done(null, payload);
    const inflate =
      encoding === "gzip" ? createGunzip() : encoding === "deflate" ? createInflate() : undefined;
    if (!inflate)
      return done(
        new ApiError(
          "MalformedPayload",
          `Content-Encoding '${encoding}' is not understood: send the body as it is, or use gzip or deflate.`,
        ),
      );
    inflate.on("error", () => payload.destroy());
    // The announced length is that of the compressed body; the limit is checked while the inflated one is read.
    delete request.headers["content-length"];
    done(null, payload.pipe(inflate));
  });
}

function parseJson(text: string): JsonBody {
  if (text === "") return { text, value: {} };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (err) {
    throw new ApiError("MalformedPayload", `Failed to parse JSON: ${(err as Error).message}`);
  }
  if (typeof value !== "object" || value === null)
    throw new ApiError(
      "MalformedPayload",
      `Failed to parse JSON: expected an object or an array, got ${value === null ? "null" : typeof value}`,
    );
  return { text, value };
}

/** The body of a request, where one was read. */
export const jsonBody = (request: FastifyRequest): JsonBody | undefined =>
  request.body as JsonBody | undefined;
