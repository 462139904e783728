// Serves the local store: PUT, GET and HEAD of signed URLs below /artifact-store.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { endpoint, type Endpoint } from "../../../../api/endpoint.ts";
import type { Clock } from "../../../../lib/clock.ts";
import { sendError, toApiError } from "../../http/error-reply.ts";
import { setApiHeaders } from "../../http/headers.ts";
import type { Monitor } from "../../monitor.ts";
import type { LocalStore } from "./local-store.ts";
import { receiveUpload, type UploadLimits } from "./receive-upload.ts";
import { sendArtifact } from "./send-artifact.ts";
import { STORE_PATH } from "./signed-url.ts";
import { InternalError } from "../../../../lib/internal-error.ts";

export interface ServeLocalStoreOptions extends UploadLimits {
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** How long a transfer may stall before it is aborted, in milliseconds. Default: 2 minutes. */
  readonly idleTimeoutMs?: number;
}

/** How many bytes of a refused upload are read and discarded, so that the sender receives the error reply. */
const DRAIN_LIMIT = 64 * 1024 * 1024;

const url = `${STORE_PATH}/*`;
const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "OPTIONS,GET,HEAD,PUT",
  "access-control-allow-headers":
    "Content-Type,Content-Encoding,Content-MD5,Content-Digest,Digest,x-amz-content-sha256,Range,If-Range,If-None-Match",
  "access-control-expose-headers": "ETag,Content-Range,Content-Encoding,Accept-Ranges",
  "access-control-max-age": "900",
};

/** Names of the routes in error replies. They are not part of the API: only the store creates their URLs. */
const described = { path: url, category: "Artifacts", stability: "stable", description: "" } as const;
const put = endpoint({ ...described, method: "PUT", name: "uploadArtifact", title: "Upload an artifact" });
const get = endpoint({
  ...described,
  method: "GET",
  name: "downloadArtifact",
  title: "Download an artifact",
});

/** Adds the routes of `store` to `app`. */
export function serveLocalStore(
  app: FastifyInstance,
  store: LocalStore,
  options: ServeLocalStoreOptions,
): void {
  const { clock, monitor, idleTimeoutMs = 120_000 } = options;

  /** Runs a handler and replies to its errors in the API's format. */
  async function handle(
    of: Endpoint,
    request: FastifyRequest,
    reply: FastifyReply,
    handler: () => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    request.raw.setTimeout(idleTimeoutMs);
    try {
      reply.headers(cors);
      return await handler();
    } catch (err) {
      // The client has disconnected, which is not an incident.
      if (request.raw.destroyed && !request.raw.complete) return reply.hijack();
      const error = toApiError(err, monitor);
      // Unlike other client errors, this one needs the operator.
      if (error.code === "InsufficientStorage")
        monitor.log.error({ err: error.cause }, "the artifact store's disk is full");
      setApiHeaders(request, reply);
      return sendError(error, request, reply, of, clock);
    }
  }

  app.route({
    method: "PUT",
    url,
    // Not in the handler, before which fastify parses the body: the content type is the artifact's, which selects no
    // parser and may be invalid, and the content encoding must be preserved.
    onRequest: (request, reply) =>
      handle(put, request, reply, async () => {
        try {
          const grant = store.check("PUT", request.raw.url ?? "");
          const { sha256 } = await receiveUpload(store, grant, request.raw, options, clock.now);
          return reply.header("etag", `"${sha256}"`).send();
        } finally {
          discardRest(request);
        }
      }),
    handler: () => {
      throw new InternalError("the onRequest hook did not reply to an upload");
    },
  });

  app.route({
    method: ["GET", "HEAD"],
    url,
    // Sent as stored, so that length, ranges and digest are those of the artifact.
    compress: false,
    handler: (request, reply) =>
      handle(get, request, reply, async () => {
        const grant = store.check("GET", request.raw.url ?? "");
        return sendArtifact(store, grant, request, reply, (error) =>
          monitor.reportError(error, { path: request.raw.url?.split("?")[0] ?? "" }),
        );
      }),
  });

  app.options(url, (_request, reply) => reply.headers(cors).code(204).send());
}

/** Reads and discards the rest of a refused upload: closing the socket immediately would lose the error reply. */
function discardRest({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return;
  let discarded = 0;
  raw.on("data", (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > DRAIN_LIMIT) raw.destroy();
  });
  raw.resume();
}
