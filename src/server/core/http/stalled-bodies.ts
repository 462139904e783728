// Ends connections whose body stopped in the middle.
import type { FastifyInstance } from "fastify";

/**
 * A caller that vanished while it sent a body leaves a connection that nobody would ever close: Node's own limit is on
 * the whole request, which an upload of hours may not have. So this one is on silence, and only until the body is there:
 * an answer may take longer.
 */
export function endStalledBodies(app: FastifyInstance, silenceMs = 60_000): void {
  // Before fastify's own listener: uploads have another limit, and set it there.
  app.server.prependListener("request", (request, response) => {
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
    if (length === "0" && encoding === undefined) return;
    request.setTimeout(silenceMs);
    request.once("end", () => {
      // After the answer the connection has another limit already, that of keeping it alive.
      if (!response.writableEnded) request.setTimeout(0);
    });
  });
}
