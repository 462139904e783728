// Refuses requests for other names than this server's. With DNS rebinding, a web page makes a browser send requests to this
// machine under the page's own name, so that the browser considers the replies as the page's own.
import { isIP } from "node:net";
import type { FastifyInstance } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import { isLoopback } from "../../../lib/loopback.ts";

export interface HostRules {
  /** The address on which the server listens. */
  readonly listening: string;
  /** The URL that the configuration gives to clients, if any. */
  readonly rootUrl: string | undefined;
  /** Further names that are accepted, without ports. */
  readonly names: readonly string[];
}

/**
 * Checks the `Host` of each request. Addresses are accepted, since rebinding needs a name, and so are the names of the
 * loopback interface, of the root URL and of the configuration. A server that listens to the network without a root URL has
 * no name of its own, and accepts every one.
 */
export function checkHost(app: FastifyInstance, { listening, rootUrl, names }: HostRules): void {
  const own = new Set(names.map((name) => name.toLowerCase()));
  if (rootUrl !== undefined) own.add(new URL(rootUrl).hostname);
  const acceptsAny = !isLoopback(listening) && rootUrl === undefined;
  app.addHook("onRequest", (request, _reply, done) => {
    const { rawHeaders } = request.raw;
    const given = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host");
    if (given.length > 1)
      return done(
        new ApiError(
          "InvalidRequestArguments",
          "The request has more than one Host header: send exactly one.",
        ),
      );
    const { host } = request.raw.headers;
    // HTTP/1.0 does not require it, and no browser sends it.
    if (acceptsAny || host === undefined) return done();
    const name = nameOf(host);
    if (isIP(name) !== 0 || isLoopback(name) || own.has(name)) return done();
    done(
      new ApiError(
        "MisdirectedRequest",
        `This server does not have the name ${JSON.stringify(name)}. Its names are localhost` +
          `${[...own].map((one) => `, ${one}`).join("")} and its addresses. Use one of these, set server.rootUrl to the URL of ` +
          "the server, or add the name to server.hostNames.",
      ),
    );
  });
}

/** Returns the name in a `Host` header in lower case, without the port and without the brackets of an IPv6 address. */
const nameOf = (host: string): string =>
  host
    .toLowerCase()
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1");
