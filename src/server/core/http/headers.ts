// The headers of all API replies.
import { randomUUID } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";

const constantHeaders: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-max-age": "900",
  "access-control-allow-methods": "OPTIONS,GET,HEAD,POST,PUT,DELETE,TRACE,CONNECT",
  "access-control-request-method": "*",
  "access-control-allow-headers": "X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control",
  "cache-control": "no-store no-cache must-revalidate",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
};

/** A trace id is passed on to other services and to logs, so only a harmless one is accepted. */
const TRACE_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Sets the headers, including the ids that identify a request in the logs. */
export function setApiHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const given = request.headers["x-taskcluster-trace-id"];
  const traceId = typeof given === "string" && TRACE_ID.test(given) ? given : randomUUID();
  reply.headers(constantHeaders);
  reply.header("x-for-trace-id", traceId);
  reply.header("x-for-request-id", randomUUID());
}
