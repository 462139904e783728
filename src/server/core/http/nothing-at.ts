// The reply to a request for a path where there is nothing.
import type { FastifyRequest } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import { nearRoute, type Route } from "./near-route.ts";

const MAX_ECHOED_PATH = 200;

/** Returns the error, with a hint if one of the routes is spelled like the path. */
export function nothingAt(
  request: Pick<FastifyRequest, "method" | "url">,
  routes: readonly Route[],
): ApiError {
  const path = request.url.split("?", 1)[0] ?? "";
  const hint = nearRoute(routes, request.method, path);
  return new ApiError(
    "ResourceNotFound",
    `There is nothing at ${request.method} ${path.slice(0, MAX_ECHOED_PATH)}: ` +
      (hint === undefined ? "see" : `${hint} See`) +
      " /references/manifest.json for the methods of all services, or / in a browser.",
  );
}
