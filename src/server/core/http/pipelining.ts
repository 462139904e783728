// Limits the requests that a connection has in flight. HTTP/1.1 lets a client send requests before it has the replies to
// earlier ones. Node parses all requests of a packet before it does anything else: a megabyte of short ones on 60 connections
// blocked a server for half a minute.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/**
 * Makes a server answer at most `most` requests that a connection sends together, and close it after the last of them.
 * Clients that send more repeat the others on another connection, as they have to whenever a server closes one. Browsers and
 * HTTP libraries wait for each reply. Call it before anything else listens for requests.
 */
export function limitPipelining({ server }: FastifyInstance, most: number): void {
  const inFlight = new WeakMap<Socket, number>();
  const serve = server.listeners("request");
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const before = inFlight.get(socket) ?? 0;
    // The reply to the last one closes the connection. What is in the same packet is parsed nevertheless.
    if (before >= most) {
      socket.pause();
      return;
    }
    if (before === most - 1) response.setHeader("connection", "close");
    inFlight.set(socket, before + 1);
    // After the last one the number stays, so that no further request is served.
    if (before < most - 1)
      response.once("close", () => inFlight.set(socket, (inFlight.get(socket) ?? 1) - 1));
    for (const listener of serve) Reflect.apply(listener, server, [request, response]);
  });
}
