// The routes under which the local store is reached: PUT, GET and HEAD of signed URLs, below /artifact-store.
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

export interface ServeLocalStoreOptions extends UploadLimits {
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** A transfer that stands still for so long is given up, in milliseconds; default 2 minutes. */
  readonly idleTimeoutMs?: number;
}

/** How much of a refused upload is read and dropped, so that its sender gets to see why. */
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

/** What errors call these methods. They are no part of the API: their URLs are made by the store alone. */
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

  /** Runs a route; whatever it throws is answered in the API's form. */
  async function answering(
    of: Endpoint,
    request: FastifyRequest,
    reply: FastifyReply,
    answer: () => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    request.raw.setTimeout(idleTimeoutMs);
    try {
      reply.headers(cors);
      return await answer();
    } catch (err) {
      // Nobody is left to hear it, and a client that hangs up is no incident.
      if (request.raw.destroyed && !request.raw.complete) return reply.hijack();
      const error = toApiError(err, monitor);
      // Refusals are the business of who asked; this one somebody here has to do something about.
      if (error.code === "InsufficientStorage")
        monitor.log.error({ err: error.cause }, "the artifact store's disk is full");
      setApiHeaders(request, reply);
      return sendError(error, request, reply, of, clock);
    }
  }

  app.route({
    method: "PUT",
    url,
    // Here and not in the handler, before which fastify would look at the body: this type is the artifact's, so it
    // chooses no parser and may be no media type at all, and this encoding is to be kept, not undone.
    onRequest: (request, reply) =>
      answering(put, request, reply, async () => {
        try {
          const grant = store.check("PUT", request.raw.url ?? "");
          const { sha256 } = await receiveUpload(store, grant, request.raw, options, clock.now);
          return reply.header("etag", `"${sha256}"`).send();
        } finally {
          dropRest(request);
        }
      }),
    handler: () => {
      throw new Error("an upload was not answered when it was received");
    },
  });

  app.route({
    method: ["GET", "HEAD"],
    url,
    // Sent as it was stored: with its length, ranges of it, and its digest.
    compress: false,
    handler: (request, reply) =>
      answering(get, request, reply, async () => {
        const grant = store.check("GET", request.raw.url ?? "");
        return sendArtifact(store, grant, request, reply, (error) =>
          monitor.reportError(error, { path: request.raw.url?.split("?")[0] ?? "" }),
        );
      }),
  });

  app.options(url, (_request, reply) => reply.headers(cors).code(204).send());
}

/** Lets a refused upload flow away for a while: a socket closed at once would take the refusal with it. */
function dropRest({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return;
  let dropped = 0;
  raw.on("data", (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > DRAIN_LIMIT) raw.destroy();
  });
  raw.resume();
}
