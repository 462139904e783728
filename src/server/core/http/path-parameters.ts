// The parameters of a path under the names that the contract gives them.
import type { FastifyRequest } from "fastify";
import type { Endpoint } from "../../../api/endpoint.ts";

/** Decoded. A rest parameter (`*name`) is what the router calls `*`. */
export function pathParameters(
  request: FastifyRequest,
  of: Pick<Endpoint, "path"> | undefined,
): Readonly<Record<string, string>> {
  const params = (request.params ?? {}) as Record<string, string>;
  const star = of?.path.lastIndexOf("*") ?? -1;
  if (of === undefined || star < 0) return params;
  const { "*": rest = "", ...others } = params;
  return { ...others, [of.path.slice(star + 1)]: rest };
}
