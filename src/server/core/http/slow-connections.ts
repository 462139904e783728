// Closes connections of callers that send their body or read their reply too slowly.
import { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { systemClock, type Clock } from "../../../lib/clock.ts";
import { SHORT_REPLY } from "./reply-memory.ts";

export interface SlowConnectionOptions {
  /** How often the progress of each body is checked, in milliseconds. */
  readonly intervalMs?: number;
  /** The least number of bytes of a body in each interval. */
  readonly leastBytes?: number;
  /** How long a reply may go without progress, in milliseconds. More than the time between the pings of a stream. */
  readonly unreadMs?: number;
  /** For the checks of bodies. Default: the machine's, since the progress of a connection does not follow another one. */
  readonly clock?: Clock;
}

/**
 * A caller that sends a byte every 20 seconds would otherwise hold its place among the large bodies for hours, and one that
 * does not read its reply would keep it in memory.
 */
export function endSlowConnections(app: FastifyInstance, options: SlowConnectionOptions = {}): void {
  // A kilobyte per second: slower callers cannot be distinguished from those that hold a place on purpose.
  const { intervalMs = 30_000, leastBytes = 30_000, unreadMs = 120_000, clock = systemClock } = options;
  endSlowBodies(app, intervalMs, leastBytes, clock);
  // Node's timer restarts with each write, and when the peer has taken a part of one. Node sets another timeout when the
  // reply has been sent.
  app.addHook("onSend", (request, _reply, payload, done) => {
    // The kernel takes short replies, and the timer costs 3 µs. A request that was injected has no connection.
    const isShort = typeof payload === "string" && payload.length < SHORT_REPLY;
    if (!isShort && request.socket instanceof Socket) request.socket.setTimeout(unreadMs);
    done(null, payload);
  });
}

/**
 * Not by Node's timeouts: the one for inactivity does not end while single bytes arrive, and the one for the whole request
 * would interrupt an upload that takes hours.
 */
function endSlowBodies(app: FastifyInstance, intervalMs: number, leastBytes: number, clock: Clock): void {
  /** The connections on which a body arrives, with the bytes received at the last check. */
  const receiving = new Map<Socket, number | undefined>();
  app.server.prependListener("request", (request) => {
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
    if (length === "0" && encoding === undefined) return;
    const { socket } = request;
    receiving.set(socket, undefined);
    // Not "close", which comes with an early reply, after which the rest of the body is discarded as it arrives.
    request.once("end", () => receiving.delete(socket));
  });
  app.server.on("connection", (socket: Socket) => {
    socket.once("close", () => receiving.delete(socket));
  });
  function check(): void {
    for (const [socket, before] of receiving) {
      if (before !== undefined && socket.bytesRead - before < leastBytes) socket.destroy();
      else receiving.set(socket, socket.bytesRead);
    }
    cancel = clock.after(intervalMs, check);
  }
  let cancel = clock.after(intervalMs, check);
  app.addHook("onClose", (_app, done) => {
    cancel();
    done();
  });
}
