// Bodies beyond the general limit, of the few methods that take them: only from callers who are known before they are
// read, and no more than some at a time. Else a handful of strangers could fill the memory, or keep others waiting.
import type { onRequestHookHandler } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import type { Authenticate } from "./call.ts";

/** Each holds its body and what is made of it, some 200 MB at worst. */
const MOST = 4;

/** A hook for routes whose bodies may have more than `limit` bytes. */
export function fewLargeBodies(limit: number, authenticate: Authenticate): onRequestHookHandler {
  let open = 0;
  return (request, reply, done) => {
    const { "content-length": length, "content-encoding": encoding } = request.headers;
    // A compressed body may become anything.
    if (length !== undefined && encoding === undefined && Number(length) <= limit) return done();
    try {
      if (authenticate(request, null).clientId === undefined)
        throw new ApiError("InsufficientScopes", `A body of more than ${limit} bytes requires credentials.`);
    } catch (err) {
      return done(err as Error);
    }
    if (open >= MOST)
      return done(
        new ApiError(
          "ServiceUnavailable",
          `${MOST} calls with bodies of more than ${limit} bytes are under way, which is the most at a time. Try again shortly.`,
        ),
      );
    open++;
    reply.raw.once("close", () => void open--);
    done();
  };
}
