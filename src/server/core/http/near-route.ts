// The methods of a path, and what a request without a route probably meant: the same path with another method, or a path that
// is spelled like it.
import { didYouMean } from "../../../lib/did-you-mean.ts";

export interface Route {
  readonly method: string;
  /** The path with `:name` for parameters, and `*` for the rest. */
  readonly url: string;
}

/** Longer paths are not compared, nor are longer parts: anybody may send them. */
const MAX_PARTS = 12;
const MAX_PART = 60;

/** Returns a hint for a request to `path`, or undefined if no route is near. */
export function nearRoute(routes: readonly Route[], method: string, path: string): string | undefined {
  const parts = partsOf(path);
  if (parts.length === 0 || parts.length > MAX_PARTS) return undefined;
  const [first = "", second = "", ...rest] = parts;
  // People forget `/api` and the version.
  for (const meant of [parts, ["api", ...parts], [first, second, "v1", ...rest]]) {
    const near = nearestTo(routes, meant);
    if (near === undefined) continue;
    const methods = routes.filter(({ url }) => url === near).map((route) => route.method);
    const shown = near.replaceAll(/:(\w+)/g, "<$1>").replace(/\*$/, "<…>");
    if (meant === parts && !methods.includes(method) && isMatch(partsOf(near), parts))
      return `this path takes ${methods.join(" and ")}.`;
    return `did you mean ${methods.includes(method) ? method : methods.join(" or ")} ${shown}?`;
  }
  return undefined;
}

/** Returns the methods of the routes that match a path. */
export function methodsOf(routes: readonly Route[], path: string): string[] {
  const parts = partsOf(path);
  return routes.filter(({ url }) => isMatch(partsOf(url), parts)).map(({ method }) => method);
}

const partsOf = (path: string): string[] => path.split("/").filter((part) => part !== "");

/** Returns the path of the route that differs from the parts in the fewest words. */
function nearestTo(routes: readonly Route[], parts: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Infinity;
  for (const { url } of routes) {
    const wrong = countWrong(partsOf(url), parts, fewest);
    if (wrong < fewest) [nearest, fewest] = [url, wrong];
  }
  return nearest;
}

const isMatch = (route: readonly string[], parts: readonly string[]): boolean =>
  hasLengthOf(route, parts) && route.every((word, i) => isParameter(word) || word === parts[i]);

const isParameter = (word: string): boolean => word === "*" || word.startsWith(":");

const hasLengthOf = (route: readonly string[], parts: readonly string[]): boolean =>
  route.at(-1) === "*" ? parts.length >= route.length : parts.length === route.length;

/** Counts misspelled words, up to `max`. Returns Infinity if the parts are not like the route. */
function countWrong(route: readonly string[], parts: readonly string[], max: number): number {
  if (!hasLengthOf(route, parts)) return Infinity;
  let wrong = 0;
  for (const [i, word] of route.entries()) {
    const part = parts[i] ?? "";
    if (word === part || isParameter(word)) continue;
    if (part.length > MAX_PART || didYouMean(part, [word]) === undefined) return Infinity;
    if (++wrong >= max) return Infinity;
  }
  return wrong;
}
