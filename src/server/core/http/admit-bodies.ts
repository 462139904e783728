// Decides by the headers of a request whether its body is read. A body takes memory and time to parse, so callers without
// valid credentials may send only small ones, and all large ones of a process share a certain amount of memory.
import type { FastifyRequest, onRequestHookHandler } from "fastify";
import type { Clock } from "../../../lib/clock.ts";
import { ApiError } from "../../../lib/errors.ts";
import type { Identity } from "../caller.ts";
import { createTally } from "../tally.ts";
import type { Authenticate } from "./call.ts";
import { createRecentDuration } from "./recent-duration.ts";

/** What every caller may send, in bytes. Parsing the worst body of this size takes a few milliseconds. */
export const STRANGER_LIMIT = 64 * 1024;

/** What is known about a route before the body of a request is read. */
export interface BodyRoute {
  /** The maximum size of its body, in bytes. */
  readonly limit: number;
  /** Throws `InsufficientScopes` if the caller lacks scopes that need no member of the body. */
  readonly authorize: (request: FastifyRequest, identity: Identity) => void;
}

/** Returns a hook for a route. */
export function admitBodies(
  { limit, authorize }: BodyRoute,
  authenticate: Authenticate,
  memory: BodyMemory,
): onRequestHookHandler {
  return (request, reply, done) => {
    const bytes = announcedBytes(request.headers);
    if (bytes <= STRANGER_LIMIT) return done();
    try {
      const identity = authenticate(request, null);
      if (identity.clientId === undefined)
        throw new ApiError(
          "InsufficientScopes",
          `Without credentials, a body must have a Content-Length of at most ${STRANGER_LIMIT} bytes and must not be compressed. Sign the request to send this one.`,
        );
      authorize(request, identity);
      const release = memory.take(identity.clientId, Math.min(bytes, limit));
      reply.raw.once("close", release);
    } catch (err) {
      return done(err as Error);
    }
    done();
  };
}

/** The memory for all large bodies of a process. */
export interface BodyMemory {
  /** Takes memory for a body until the returned function is called. Throws `ServiceUnavailable` if there is not enough. */
  take(clientId: string, bytes: number): () => void;
}

/**
 * Creates the memory, of `most` bytes. One client may take half of it, so that it cannot shut out all others; a body that is
 * larger is admitted if it is the only one.
 */
export function createBodyMemory(most: number, clock: Clock): BodyMemory {
  const taken = createTally();
  const duration = createRecentDuration();
  const refuse = (whose: string, limit: number): never => {
    throw new ApiError(
      "ServiceUnavailable",
      `The bodies of ${whose} requests in progress take the maximum of ${limit} bytes. Try again shortly, or send fewer at a time.`,
      { retryAfterMs: duration.ms },
    );
  };
  return {
    take(clientId, bytes) {
      const own = taken.of(clientId);
      if (own > 0 && own + bytes > most / 2) refuse("your", most / 2);
      if (taken.total > 0 && taken.total + bytes > most) refuse("all", most);
      taken.add(clientId, bytes);
      const started = clock.now();
      return () => {
        duration.add(clock.now() - started);
        taken.add(clientId, -bytes);
      };
    },
  };
}

/** Returns the size of the body, or Infinity if only reading it shows how large it is. */
function announcedBytes(headers: Readonly<Record<string, string | string[] | undefined>>): number {
  const { "content-length": length, "content-encoding": encoding, "transfer-encoding": transfer } = headers;
  if (length === undefined) return transfer === undefined ? 0 : Infinity;
  return encoding === undefined || encoding === "identity" || length === "0" ? Number(length) : Infinity;
}
