// Decides by the headers of a request whether its body is read. A body takes memory and time to parse, so callers without
// valid credentials may send only small ones, and only a few of the largest are read concurrently.
import type { onRequestHookHandler } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import type { Authenticate } from "./call.ts";

/** What every caller may send, in bytes. Parsing the worst body of this size takes a few milliseconds. */
export const STRANGER_LIMIT = 64 * 1024;

/** Each holds its body and the parsed value, some 200 MB in the worst case. */
const MAX_CONCURRENT = 4;

/** Returns a hook for the routes of a server whose general limit is `limit` bytes. */
export function admitBodies(limit: number, authenticate: Authenticate): onRequestHookHandler {
  let open = 0;
  return (request, reply, done) => {
    const bytes = announcedBytes(request.headers);
    if (bytes <= STRANGER_LIMIT) return done();
    try {
      if (authenticate(request, null).clientId === undefined)
        throw new ApiError(
          "InsufficientScopes",
          `Without credentials, a body must have a Content-Length of at most ${STRANGER_LIMIT} bytes and must not be compressed. Sign the request to send this one.`,
        );
    } catch (err) {
      return done(err as Error);
    }
    if (bytes <= limit || (request.routeOptions.bodyLimit ?? limit) <= limit) return done();
    if (open >= MAX_CONCURRENT)
      return done(
        new ApiError(
          "ServiceUnavailable",
          `${MAX_CONCURRENT} requests with bodies of more than ${limit} bytes are in progress, which is the maximum. Try again shortly.`,
        ),
      );
    open++;
    reply.raw.once("close", () => void open--);
    done();
  };
}

/** Returns the size of the body, or Infinity if only reading it shows how large it is. */
function announcedBytes(headers: Readonly<Record<string, string | string[] | undefined>>): number {
  const { "content-length": length, "content-encoding": encoding, "transfer-encoding": transfer } = headers;
  if (length === undefined) return transfer === undefined ? 0 : Infinity;
  return encoding === undefined || encoding === "identity" || length === "0" ? Number(length) : Infinity;
}
