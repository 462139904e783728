// Ends connections when the server stops, without cutting off a request.
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/**
 * Closes what Node leaves open when a server closes: connections that never carried a request (browsers open them ahead
 * of need, and so does Node's fetch after each request that was aborted), and those whose last answer is still to come,
 * which clients would keep for seconds. Either would hold up the stop until its time is up.
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
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (closing) reply.header("connection", "close");
    done(null, payload);
  });
  // A stream, or a long download, told its client before that the connection would stay.
  app.addHook("onResponse", (request, _reply, done) => {
    if (closing) request.socket.end();
    done();
  });
}
