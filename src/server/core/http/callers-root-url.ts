// The root URL as a caller knows it.
import type { FastifyRequest } from "fastify";
import { ApiError } from "../../../lib/errors.ts";

const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$/;

/**
 * The root URL under which the caller of a request reached us: what `Host` says, or `X-Forwarded-…` where proxies
 * are trusted. A worker in a container and a browser at home may know one server by two names, and each gets URLs
 * that work for it. Whoever lies in `Host` gets a useless URL, and is alone with it: such replies are not cached.
 */
export function callersRootUrl(request: FastifyRequest): string {
  if (!HOST.test(request.host))
    throw new ApiError(
      "InvalidRequestArguments",
      `The Host header ${JSON.stringify(request.host)} does not name a host, so no URL can be made for you.`,
    );
  return `${request.protocol}://${request.host}`;
}
