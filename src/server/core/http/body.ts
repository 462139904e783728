// Reading request bodies: JSON only, limited after inflating, the raw text kept for the payload hash of Hawk.
import { createGunzip, createInflate } from "node:zlib";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import { parseLongList } from "./long-list.ts";
import { isDeeperThan } from "./nesting.ts";

/** What the parser leaves on a request: the parsed body, and its text as it came. */
export interface JsonBody {
  readonly text: string;
  readonly value: unknown;
}

/** Deeper JSON is refused: at some thousand levels printing it again, as replies and errors do, would overflow the stack. */
const MAX_DEPTH = 500;

/** Bodies up to this length take a few milliseconds to parse, so it is done in one go. */
const SHORT_LENGTH = 200_000;

declare module "fastify" {
  interface FastifyContextConfig {
    /** The member of the route's body that is parsed piece by piece. */
    longList?: string | undefined;
  }
}

/** Teaches a server (or a scope of it) to read JSON bodies of at most `limit` bytes; other types are not read. */
export function readJsonBodies(app: FastifyInstance, limit: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>(
    "application/json",
    { parseAs: "string", bodyLimit: limit },
    (request, text, done) => {
      const { longList } = request.routeOptions.config;
      if (longList !== undefined && text.length > SHORT_LENGTH) {
        void parseLongList(text, longList, checkDepth).then(
          (value) => done(null, { text, value } satisfies JsonBody),
          (err: Error) => done(err, undefined),
        );
        return;
      }
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
  app.addHook("preParsing", (request, reply, payload, done) => {
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
    // The announced length is that of the compressed body; the limit is checked while the inflated one is read.
    delete request.headers["content-length"];
    // Once a bomb is refused, nobody needs what is left of it; nor does a caller who hung up.
    reply.raw.once("close", () => inflate.destroy());
    done(null, payload.pipe(inflate));
  });
}

function parseJson(text: string): JsonBody {
  if (text === "") return { text, value: {} };
  checkDepth(text);
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

function checkDepth(text: string): void {
  if (isDeeperThan(MAX_DEPTH, text))
    throw new ApiError(
      "MalformedPayload",
      `Failed to parse JSON: it is nested deeper than ${MAX_DEPTH} levels`,
    );
}

/** The body of a request, where one was read. */
export const jsonBody = (request: FastifyRequest): JsonBody | undefined =>
  request.body as JsonBody | undefined;

/** A body that must be there: even where `{}` would do, no body at all is a mistake of the caller. */
export function requiredBody(request: FastifyRequest): JsonBody {
  const body = jsonBody(request);
  if (body !== undefined && body.text !== "") return body;
  const type = request.headers["content-type"] ?? "none";
  throw new ApiError(
    "MalformedPayload",
    `Payload must be JSON with content-type: application/json got content-type: ${type}${body ? ", and no body" : ""}`,
  );
}
