// Public API of authentication: the caller of a request, its scopes, and credentials for tasks.
import { authApi } from "../../../api/auth/index.ts";
import { defineService } from "../../core/service.ts";
import { anonymousScopes } from "./anonymous-scopes.ts";
import { createAuthenticator } from "./authenticate.ts";
import { staticClients } from "./clients.ts";
import type { AuthContext } from "./context.ts";
import { authHandlers } from "./handlers.ts";
import { metrics } from "./metrics.ts";
import { createRequestAuthenticator } from "./request-authenticator.ts";
import { settings } from "./settings.ts";

export { createTemporaryCredentials } from "./temporary-credentials.ts";

export const authService = defineService({
  api: authApi,
  settings,
  metrics,
  create({ clock, config, rootUrl, secrets, serviceClients, metrics: own }) {
    const { access = "closed" } = config;
    const anonymous = [...anonymousScopes[access], ...config.auth.anonymousScopes];
    const ctx: AuthContext = {
      clients: staticClients(
        { ...config.auth, ...secrets, serviceClients, anonymousScopes: anonymous },
        clock.now(),
      ),
      clock,
      hawkSkewMs: config.auth.hawkSkew,
      rootUrl,
      trustProxy: config.server.trustProxy,
      otherSites: access === "open",
    };
    const authenticate = createAuthenticator(ctx);
    return {
      handlers: authHandlers(ctx, authenticate),
      authenticate: createRequestAuthenticator(ctx, authenticate, own),
      provides: {},
    };
  },
});
