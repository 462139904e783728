// Authentication for the HTTP layer: takes the signed parts from a request, and throws API errors.
import type { FastifyRequest } from "fastify";
import { ApiError } from "../../../../lib/errors.ts";
import type { HawkErrorKind } from "../../../../lib/hawk.ts";
import { compileScopes } from "../../../../lib/scopes/scope-set.ts";
import type { Authenticate } from "../../../core/http/call.ts";
import type { MetricsOf } from "../../../core/metrics.ts";
import type { Authenticator, AuthResult } from "./authenticate.ts";
import type { Lifetimes } from "../directory/lifetimes.ts";
import type { LastUsed } from "../directory/last-used.ts";
import type { metrics as declared } from "../metrics.ts";
import { CERTIFICATE_LEEWAY_MS } from "./certificate.ts";
import { payloadHashProblem } from "./payload-hash.ts";

export interface RequestAuthenticatorOptions {
  /** The URL at which clients reach this server. */
  readonly rootUrl: () => string;
  /** Whether the x-forwarded-* headers come from a trusted proxy in front of this server. */
  readonly trustProxy: boolean;
  /** Whether web pages of other sites have the scopes of callers without credentials. */
  readonly otherSites: boolean;
  readonly metrics?: MetricsOf<typeof declared>;
  /** Ends what callers wait for when their credentials end. */
  readonly lifetimes?: Lifetimes;
  /** Gets the clients that are used. */
  readonly lastUsed?: Pick<LastUsed, "used">;
}

/** Returns the authentication that `serve` calls; it throws `AuthenticationFailed`. */
export function createRequestAuthenticator(
  ctx: RequestAuthenticatorOptions,
  authenticate: Authenticator,
): Authenticate {
  const { metrics, lifetimes, lastUsed } = ctx;
  const refuse = (scheme: string, reason: HawkErrorKind | "hash", message: string): never => {
    metrics?.authFailures.inc({ reason, scheme });
    // oxlint-disable-next-line messages/next-step -- HawkError has advice for each kind of refusal
    throw new ApiError("AuthenticationFailed", message);
  };
  return (request, rawBody) => {
    const { authorization, "content-type": contentType } = request.headers;
    const authenticateAs = (authority: Authority): AuthResult =>
      authenticate({
        ...authority,
        method: request.method,
        resource: request.raw.url ?? "/",
        authorization,
      });
    let result = authenticateAs(signedAuthority(request, ctx));
    // Behind a proxy that rewrites `Host`, the client signed the root URL, which no header contains.
    if (result.status === "auth-failed" && result.kind === "mac")
      result = authenticateAs(authorityOf(new URL(ctx.rootUrl())));
    const scheme = result.status === "no-auth" ? "none" : authorization ? "hawk" : "bewit";
    if (result.status === "auth-failed") {
      const { kind, message, advice } = result;
      return refuse(scheme, kind, `${message.replace(/\.$/, "")}. ${advice}`);
    }
    const { expires } = result;
    const restricted =
      result.status === "no-auth" && !ctx.otherSites && isFromOtherSite(request, ctx.rootUrl());
    const scopes = restricted ? noScopes : result.scopes;
    if (result.status === "auth-success") {
      const problem =
        result.hash && rawBody !== null && payloadHashProblem(result.hash, contentType, rawBody ?? "");
      if (problem) return refuse(scheme, "hash", problem);
    }
    // Before its body is read, a request is authenticated for the first of two times.
    if (rawBody !== null) metrics?.authSuccesses.inc({ scheme });
    if (result.status === "no-auth") return { clientId: undefined, scopes, expires };
    const { clientId, credentials } = result;
    const { signer: client, times } = credentials;
    if (rawBody !== null) lastUsed?.used(client.clientId);
    const until = times ? times.expiry + CERTIFICATE_LEEWAY_MS : Infinity;
    return {
      clientId,
      ...(client.clientId !== clientId && { issuer: client.clientId }),
      scopes,
      expires,
      ...(lifetimes && { whenEnded: (end) => lifetimes.watch({ client, until }, end) }),
    };
  };
}

const noScopes = compileScopes([]);

/**
 * Reports whether a web page of another site sent the request. A browser on the server's machine reaches instances that
 * the page's author does not. Browsers add `Origin` to every request of a page whose reply the page could read, except to
 * the page's own server.
 */
function isFromOtherSite({ headers }: FastifyRequest, rootUrl: string): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return false;
  const from = URL.canParse(origin) ? new URL(origin) : undefined;
  return from === undefined || (from.host !== host?.toLowerCase() && from.origin !== new URL(rootUrl).origin);
}

interface Authority {
  readonly host: string;
  readonly port: number;
}

const authorityOf = ({ hostname, port, protocol }: URL): Authority => ({
  host: hostname,
  port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
});

/** Returns host and port as the client signed them; behind a proxy they differ from those of this process. */
function signedAuthority(
  request: FastifyRequest,
  { rootUrl, trustProxy }: Pick<RequestAuthenticatorOptions, "rootUrl" | "trustProxy">,
): Authority {
  const { headers, raw } = request;
  const [, host = "", ownPort] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(headers.host ?? "") ?? [];
  const forwardedPort = trustProxy ? firstOf(headers["x-forwarded-port"]) : undefined;
  if (forwardedPort !== undefined) return { host, port: Number(forwardedPort) };
  if (trustProxy && firstOf(headers["x-forwarded-proto"]) === "https") return { host, port: 443 };
  if (ownPort !== undefined) return { host, port: Number(ownPort) };
  // The header has no port. For the host of the root URL, use the root URL's port, since a proxy may end TLS or drop the
  // port from `Host`; for any other host, use the scheme's default.
  const root = new URL(rootUrl());
  const isOwnName = root.hostname === host.toLowerCase();
  if (isOwnName && root.port !== "") return { host, port: Number(root.port) };
  const isEncrypted = isOwnName ? root.protocol === "https:" : "encrypted" in raw.socket;
  return { host, port: isEncrypted ? 443 : 80 };
}

const firstOf = (header: string | string[] | undefined): string | undefined =>
  (typeof header === "string" ? header : header?.[0])?.split(",", 1)[0]?.trim();
