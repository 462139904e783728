// Reads request bodies: JSON only, limited by their decompressed size. Keeps the raw text for Hawk's payload hash.
import { createGunzip, createInflate } from "node:zlib";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import { parseLongList, type LongListLimits } from "./long-list.ts";
import { shapeOf } from "./nesting.ts";

/** The body that the parser sets on a request: the parsed value and the raw text. */
export interface JsonBody {
  readonly text: string;
  readonly value: unknown;
}

/** Deeper JSON is refused: at some thousand levels, serializing it for a reply or error would overflow the stack. */
const MAX_DEPTH = 500;

/**
 * JSON with more values and names is refused, since they determine the time of parsing and checking: a megabyte of `{},{},…`
 * takes as long as 50 MB of text. This many take 10 ms to parse. They are as many as the longest list of ids in a megabyte.
 */
const MAX_VALUES = 50_000;

/** The same for callers without credentials, who need no more: 64 KiB of `{},{},…` take 4 ms, and anyone may send many of them. */
const MAX_VALUES_OF_STRANGERS = 4_000;

/** The same for the whole of a long list, for memory: an empty object takes up to 60 bytes. */
const MAX_LIST_VALUES = 3_000_000;

/** Bodies up to this length are parsed in one call, which takes a few milliseconds. */
const SHORT_LENGTH = 200_000;

declare module "fastify" {
  interface FastifyContextConfig {
    /** The list in the route's body whose elements are parsed one at a time. */
    longList?: LongListLimits | undefined;
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
      let values = 0;
      const check = (part: string): void => {
        values += checkShape(part);
        if (values > MAX_LIST_VALUES) throw tooManyValues(MAX_LIST_VALUES);
      };
      void parseLongList(text, longList, check).then(
        (value) => done(null, { text, value } satisfies JsonBody),
        (err: Error) => done(err, undefined),
      );
      return;
    }
    try {
      const { isSigned } = request.routeOptions.config;
      done(
        null,
        parseJson(text, () => isSigned?.(request) ?? true),
      );
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

function parseJson(text: string, isSigned: () => boolean): JsonBody {
  if (text === "") return { text, value: {} };
  if (checkShape(text) > MAX_VALUES_OF_STRANGERS && !isSigned())
    throw new ApiError(
      "InputTooLarge",
      `Without credentials, a body may have at most ${MAX_VALUES_OF_STRANGERS} values and names of members. Sign the request to send more.`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (err) {
    throw new ApiError(
      "MalformedPayload",
      `Failed to parse JSON: ${(err as Error).message}. The body must be JSON.`,
    );
  }
  refuseInfinity(text, value);
  if (typeof value !== "object" || value === null)
    throw new ApiError(
      "MalformedPayload",
      `Failed to parse JSON: expected an object or an array, got ${value === null ? "null" : typeof value}`,
    );
  return { text, value };
}

/** Refuses numbers beyond the range of doubles, such as 1e400: they would be stored as null. */
function refuseInfinity(text: string, value: unknown): void {
  // Checked in the text first, since such numbers are rare and a walk through the value costs as much as parsing it.
  const mayHave = /\d[eE]\+?0*[1-9]\d\d/.test(text) || hasLongDigits(text);
  if (!mayHave) return;
  const path = pathToInfinity(value);
  if (path !== undefined)
    throw new ApiError(
      "MalformedPayload",
      `The number at ${path === "" ? "the top" : path} is too large: numbers have at most 308 digits before the decimal point. ` +
        "Send it as a string.",
    );
}

function hasLongDigits(text: string): boolean {
  for (const [digits] of text.matchAll(/\d{20,}/g)) if (digits.length > 308) return true;
  return false;
}

/** The depth is limited, see `checkShape`. */
function pathToInfinity(value: unknown): string | undefined {
  if (value === Infinity || value === -Infinity) return "";
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const path = pathToInfinity(member);
    if (path !== undefined) return `${Array.isArray(value) ? `[${name}]` : `.${name}`}${path}`;
  }
  return undefined;
}

/** Refuses JSON that is expensive to process. Returns the number of its values. */
function checkShape(text: string): number {
  const { depth, values } = shapeOf(text);
  if (depth > MAX_DEPTH)
    throw new ApiError(
      "MalformedPayload",
      `Failed to parse JSON: it is nested deeper than the limit of ${MAX_DEPTH} levels`,
    );
  if (values > MAX_VALUES) throw tooManyValues(MAX_VALUES);
  return values;
}

const tooManyValues = (limit: number): ApiError =>
  new ApiError(
    "InputTooLarge",
    `The JSON has more than ${limit} values and names of members, which is the maximum. Split the request.`,
  );

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
