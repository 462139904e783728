// The parameters of a path: how the router is told of them, and under which names the contract has them.
import type { FastifyRequest } from "fastify";
import type { Endpoint } from "../../../api/endpoint.ts";

const HALVES = ["firstHalf", "secondHalf"] as const;

/** The path for the router, which knows a rest parameter (`*name`) as `*`; twice where a slash may be plain. */
export function routerPaths({ path, slashIn }: Pick<Endpoint, "path" | "slashIn">): string[] {
  const plain = path.replace(/\*\w+$/, "*");
  if (slashIn === undefined) return [plain];
  return [plain, plain.replace(`:${slashIn}`, HALVES.map((half) => `:${half}`).join("/"))];
}

/** Decoded. */
export function pathParameters(
  request: FastifyRequest,
  of: Pick<Endpoint, "path" | "slashIn"> | undefined,
): Readonly<Record<string, string>> {
  const params = (request.params ?? {}) as Record<string, string>;
  if (of?.slashIn !== undefined && HALVES[0] in params) {
    const { [HALVES[0]]: first = "", [HALVES[1]]: second = "", ...others } = params;
    return { ...others, [of.slashIn]: `${first}/${second}` };
  }
  const star = of?.path.lastIndexOf("*") ?? -1;
  if (of === undefined || star < 0) return params;
  const { "*": rest = "", ...others } = params;
  return { ...others, [of.path.slice(star + 1)]: rest };
}
