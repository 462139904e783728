// Closes connections whose request body stalled.
import type { FastifyInstance } from "fastify";

/**
 * Sets a timeout for inactivity while a request body is received. A caller that disappears while it sends a body would
 * otherwise leave its connection open forever: Node's own timeout covers the whole request, which would interrupt an
 * upload that takes hours. The timeout ends with the body, since a reply may take longer.
 */
export function endStalledBodies(app: FastifyInstance, inactivityMs = 60_000): void {
  // Runs before fastify's own listener, where uploads set a different timeout.
  app.server.prependListener("request", (request, response) => {
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
    if (length === "0" && encoding === undefined) return;
    request.setTimeout(inactivityMs);
    request.once("end", () => {
      // After the reply, the keep-alive timeout is already in effect.
      if (!response.writableEnded) request.setTimeout(0);
    });
  });
}
