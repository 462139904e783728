// Reads request bodies: JSON only, limited by their decompressed size. Keeps the raw text for Hawk's payload hash.
import { createGunzip, createInflate } from "node:zlib";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import { parseLongList, type LongListLimits } from "./long-list.ts";
import { parseUntrusted, tooManyValues } from "./untrusted-json.ts";

/** The body that the parser sets on a request: the parsed value and the raw text. */
export interface JsonBody {
  readonly text: string;
  readonly value: unknown;
}

/** The maximum number of values and names for callers without credentials, who need no more: 64 KiB of `{},{},…` take 4 ms, and anyone may send many of them. */
const MAX_VALUES_OF_STRANGERS = 4_000;

/** The same for the whole of a long list, for memory: an empty object takes up to 60 bytes. */
const MAX_LIST_VALUES = 3_000_000;

/** Bodies up to this length are parsed in one call, which takes a few milliseconds. */
const SHORT_LENGTH = 200_000;

declare module "fastify" {
  interface FastifyContextConfig {
    /** The list in the route's body whose elements are parsed one at a time. */
    longList?: LongListLimits | undefined;
    /** Whether the body contains secrets, which errors must not quote. */
    hasSecrets?: boolean;
    /** Reports whether a request is signed. Throws if its signature is not valid. */
    isSigned?: (request: FastifyRequest) => boolean;
  }
}

/** Makes a server (or a scope of it) read JSON bodies, of at most the route's limit. Other content types are not read. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, text, done) => {
    const { longList } = request.routeOptions.config;
    if (longList !== undefined && text.length > SHORT_LENGTH) {
      let total = 0;
      const admit = (values: number): void => {
        total += values;
        if (total > MAX_LIST_VALUES) throw tooManyValues(MAX_LIST_VALUES);
      };
      const parse = (part: string, place: string): unknown => parseUntrusted(part, place, admit);
      void parseLongList(text, longList, parse).then(
        (value) => done(null, { text, value } satisfies JsonBody),
        (err: Error) => done(err, undefined),
      );
      return;
    }
    try {
      done(null, parseBody(text, request));
    } catch (err) {
      done(err as Error, undefined);
    }
  });
  // Bodies of other types are discarded: the method either takes no input or refuses the type.
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
          `Content-Encoding '${encoding}' is not supported: send the body uncompressed, or use gzip or deflate.`,
        ),
      );
    // The content length is that of the compressed body. The limit applies to the decompressed body as it is read.
    delete request.headers["content-length"];
    // The rest is not needed after a decompression bomb was refused or the caller disconnected.
    reply.raw.once("close", () => inflate.destroy());
    done(null, payload.pipe(inflate));
  });
}

function parseBody(text: string, request: FastifyRequest): JsonBody {
  if (text === "") return { text, value: {} };
  const { isSigned, hasSecrets = false } = request.routeOptions.config;
  const admit = (values: number): void => {
    // Paths without a method have no such check.
    if (values > MAX_VALUES_OF_STRANGERS && isSigned?.(request) !== true)
      throw new ApiError(
        "InputTooLarge",
        `Without credentials, a body may have at most ${MAX_VALUES_OF_STRANGERS} values and names of members. Sign the request to send more.`,
      );
  };
  const value = parseUntrusted(text, "", admit, !hasSecrets);
  if (typeof value !== "object" || value === null)
    throw new ApiError(
      "MalformedPayload",
      `Failed to parse JSON: expected an object or an array, got ${value === null ? "null" : typeof value}`,
    );
  return { text, value };
}

/** Returns the body of a request, if one was read. */
export const jsonBody = (request: FastifyRequest): JsonBody | undefined =>
  request.body as JsonBody | undefined;

/** Returns the body, or throws if there is none. A missing body is an error even where `{}` would be valid. */
export function requiredBody(request: FastifyRequest): JsonBody {
  const body = jsonBody(request);
  if (body !== undefined && body.text !== "") return body;
  const type = request.headers["content-type"] ?? "none";
  throw new ApiError(
    "MalformedPayload",
    `Payload must be JSON with content-type: application/json got content-type: ${type}${body ? ", and no body" : ""}`,
  );
}
