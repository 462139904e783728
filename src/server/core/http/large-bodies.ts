// Restricts bodies above the general limit, which few methods accept: callers must be authenticated before the body is
// read, and only a few are read concurrently. Otherwise a handful of anonymous callers could exhaust the memory or delay
// others.
import type { onRequestHookHandler } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import type { Authenticate } from "./call.ts";

/** Each holds its body and the parsed value, some 200 MB in the worst case. */
const MAX_CONCURRENT = 4;

/** Returns a hook for routes that accept bodies of more than `limit` bytes. */
export function limitLargeBodies(limit: number, authenticate: Authenticate): onRequestHookHandler {
  let open = 0;
  return (request, reply, done) => {
    const { "content-length": length, "content-encoding": encoding } = request.headers;
    // The decompressed size of a body is unknown.
    if (length !== undefined && encoding === undefined && Number(length) <= limit) return done();
    try {
      if (authenticate(request, null).clientId === undefined)
        throw new ApiError("InsufficientScopes", `A body of more than ${limit} bytes requires credentials.`);
    } catch (err) {
      return done(err as Error);
    }
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
