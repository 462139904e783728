// Closes connections when the server stops, without interrupting a request.
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { ApiError } from "../../../lib/errors.ts";

/**
 * Closes connections that Node leaves open when a server closes: those that never carried a request (browsers open them
 * in advance, and so does Node's fetch after each aborted request), and those whose last reply is pending, which clients
 * would keep open for seconds. Both would delay the stop until its timeout.
 */
export function endConnectionsOnClose(app: FastifyInstance): void {
  const unused = new Set<Socket>();
  let closing = false;
  app.server.on("connection", (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  app.server.on("request", ({ socket }) => unused.delete(socket));
  app.addHook("preClose", (done) => {
    closing = true;
    for (const socket of unused) socket.destroy();
    done();
  });
  app.addHook("onRequest", (_request, _reply, done) => {
    if (!closing) return done();
    done(
      new ApiError(
        "ServiceUnavailable",
        "This server is stopping. Repeat the request: another server may reply.",
      ),
    );
  });
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (closing) reply.header("connection", "close");
    done(null, payload);
  });
  // The headers of a stream or a long download were sent before, with the connection kept alive.
  app.addHook("onResponse", (request, _reply, done) => {
    if (closing) request.socket.end();
    done();
  });
}
