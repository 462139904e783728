// Translates path parameters between the contract's names and the router's.
import type { FastifyRequest } from "fastify";
import type { Endpoint } from "../../../api/endpoint.ts";

const HALVES = ["firstHalf", "secondHalf"] as const;

type Path = Pick<Endpoint, "path" | "slashIn" | "lastIsOptional" | "colonAfter">;

/**
 * Returns the router's paths of an endpoint. The router calls a rest parameter (`*name`) `*`. A parameter that may
 * contain an unencoded slash needs a second path, and one that may be left out too.
 */
export function routerPaths({ path, slashIn, lastIsOptional }: Path): string[] {
  const plain = path.replace(/\*\w+$/, "*");
  if (lastIsOptional) return [plain, plain.replace(/\/[^/]*$/, "")];
  if (slashIn === undefined) return [plain];
  return [plain, plain.replace(`:${slashIn}`, HALVES.map((half) => `:${half}`).join("/"))];
}

/** Returns the decoded parameters of a request by the contract's names. */
export function pathParameters(
  request: FastifyRequest,
  of: Path | undefined,
): Readonly<Record<string, string>> {
  const params = (request.params ?? {}) as Record<string, string>;
  if (of?.slashIn !== undefined && HALVES[0] in params) {
    const { [HALVES[0]]: first = "", [HALVES[1]]: second = "", ...others } = params;
    return { ...others, [of.slashIn]: `${first}/${second}` };
  }
  if (of?.lastIsOptional) return { [of.path.slice(of.path.lastIndexOf(":") + 1)]: "", ...params };
  if (of?.colonAfter !== undefined) {
    const { [of.colonAfter]: value = "", ...others } = params;
    return { ...others, [of.colonAfter]: value.replace(/:$/, "") };
  }
  const star = of?.path.lastIndexOf("*") ?? -1;
  if (of === undefined || star < 0) return params;
  const { "*": rest = "", ...others } = params;
  // The router removes a slash at the end of the path, which belongs to the rest as an encoded one does.
  const end = /^[^?]*\/(\?|$)/.test(request.url) ? "/" : "";
  return { ...others, [of.path.slice(star + 1)]: rest + end };
}
