// The face of authentication: who sent a request, what it may do, and credentials for tasks.
import type { Authenticate } from "../../core/http/call.ts";
import type { Metrics } from "../../core/metrics.ts";
import { createAuthenticator } from "./authenticate.ts";
import type { AuthContext } from "./context.ts";
import { authHandlers, type AuthHandlers } from "./handlers.ts";
import { createRequestAuthenticator } from "./request-authenticator.ts";

export { QUEUE_CLIENT_ID, staticClients, type ClientDirectory } from "./clients.ts";

export { createTemporaryCredentials } from "./temporary-credentials.ts";

export interface Auth {
  /** Tells every service of this process who calls. */
  readonly authenticate: Authenticate;
  readonly handlers: AuthHandlers;
}

export function createAuth(
  ctx: AuthContext,
  metrics?: Pick<Metrics, "authSuccesses" | "authFailures">,
): Auth {
  const authenticate = createAuthenticator(ctx);
  return {
    authenticate: createRequestAuthenticator(ctx, authenticate, metrics),
    handlers: authHandlers(ctx, authenticate),
  };
}
