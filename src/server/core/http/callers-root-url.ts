// The root URL from the caller's point of view.
import type { FastifyRequest } from "fastify";
import { ApiError } from "../../../lib/errors.ts";

const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$/;

/**
 * Returns the root URL that the caller used: from `Host`, or from `X-Forwarded-…` if proxies are trusted. A worker in a
 * container and a browser may use different names of the same server, and each gets URLs that work for it. A forged
 * `Host` yields a useless URL, but only for its sender: such replies are not cached.
 */
export function callersRootUrl(request: FastifyRequest): string {
  if (!HOST.test(request.host))
    throw new ApiError(
      "InvalidRequestArguments",
      `The Host header ${JSON.stringify(request.host)} is not a valid host, so no URL of this server can be built. Send the host of the root URL.`,
    );
  return `${request.protocol}://${request.host}`;
}
