// Public API of authentication: the caller of a request, its scopes, and credentials for tasks.
import { authApi } from "../../../api/auth/index.ts";
import { ApiError } from "../../../lib/errors.ts";
import type { ScopeSet } from "../../../lib/scopes/scope-set.ts";
import { defineService } from "../../core/service.ts";
import { auditHandlers, deleteOldEntries } from "./audit/history.ts";
import { accessTokens } from "./clients/sql/access-token-column.ts";
import { deleteExpiredClients } from "./clients/delete-expired.ts";
import { clientHandlers } from "./clients/handlers.ts";
import { writeStaticRows } from "./clients/store/static-rows.ts";
import { timestamp } from "../../core/timestamp.ts";
import type { AuthContext } from "./context.ts";
import { anonymousRole } from "./directory/anonymous-role.ts";
import { createChangeFollower } from "./directory/follow-changes.ts";
import { createLastUsed } from "./directory/last-used.ts";
import { createLifetimes } from "./directory/lifetimes.ts";
import { createScopeView } from "./directory/scope-view.ts";
import { staticClients } from "./directory/static-clients.ts";
import { createDirectoryView } from "./directory/view.ts";
import { explainHandlers } from "./explain/handlers.ts";
import { metrics } from "./metrics.ts";
import { otherSystemHandlers } from "./other-systems/handlers.ts";
import { roleHandlers } from "./roles/handlers.ts";
import { scopeHandlers } from "./scopes/handlers.ts";
import { scopeParams } from "./scope-params.ts";
import { settings } from "./settings.ts";
import { createAuthenticator } from "./signature/authenticate.ts";
import { createRequestAuthenticator } from "./signature/request-authenticator.ts";

export { createTemporaryCredentials } from "./signature/temporary-credentials.ts";

/** What other services use in the process. */
export interface Auth {
  /** Returns the scopes of callers without credentials. */
  anonymousScopes(): ScopeSet;
  /** Returns the scopes of a client with those of the role `anonymous`, or undefined if there is no such client. */
  scopesOf(clientId: string): ScopeSet | undefined;
}

/** A view that is older may lack a client that was disabled, so that signed requests are refused. */
const MAX_AGE_MS = 60_000;

export const authService = defineService({
  api: authApi,
  settings,
  metrics,
  encrypted: [accessTokens],
  scopeParams,
  create({
    db,
    clock,
    keyRing,
    config,
    rootUrl,
    secrets,
    serviceClients,
    contracts,
    events,
    wakeUps,
    monitor,
    metrics: own,
  }) {
    const { access = "closed", auth } = config;
    const configured = staticClients({ ...auth, ...secrets, serviceClients }, clock.now());
    const anonymous = anonymousRole(access, auth.anonymousScopes);
    const directory = createDirectoryView({
      db,
      keyRing,
      monitor,
      fixedClients: configured,
      fixedRoles: anonymous.fixed,
    });
    const follower = createChangeFollower({ view: directory, events, wakeUps, monitor });
    const view = createScopeView(directory.roles);
    const lifetimes = createLifetimes(directory, clock);
    directory.onClientChange(lifetimes.clientChanged);
    const lastUsed = createLastUsed({ db, clock, monitor });
    const ctx: AuthContext = { db, clock, keyRing, directory, view, refreshed: follower.refreshed };
    const signature = {
      clock,
      hawkSkewMs: auth.hawkSkew,
      rootUrl,
      trustProxy: config.server.trustProxy,
      otherSites: access === "open",
    };
    const authenticate = createAuthenticator({
      ...signature,
      clients: directory,
      view,
      requireFresh() {
        if (follower.age() <= MAX_AGE_MS) return;
        throw new ApiError(
          "ServiceUnavailable",
          "This server could not read changes of clients and roles for a minute, so it accepts no signed requests. Try again shortly, or another server.",
        );
      },
    });
    return {
      handlers: {
        ...clientHandlers(ctx),
        ...roleHandlers(ctx),
        ...scopeHandlers(directory, authenticate, lastUsed, signature),
        ...explainHandlers({ ...ctx, contracts, fixedRoles: anonymous.fixed }),
        ...auditHandlers(ctx),
        ...otherSystemHandlers({ clock, websocktunnelSecret: auth.websocktunnelSecret }),
      },
      authenticate: createRequestAuthenticator(
        { ...signature, metrics: own, lifetimes, lastUsed },
        authenticate,
      ),
      provides: {
        anonymousScopes: () => view.anonymous,
        scopesOf(clientId) {
          const client = directory.client(clientId);
          return client && view.ofClient(client).scopes;
        },
      } satisfies Auth,
      loops: [
        { name: "client-expiry", intervalMs: 60_000, runOnce: deleteExpiredClients(ctx) },
        { name: "audit-expiry", intervalMs: 3_600_000, runOnce: deleteOldEntries(ctx) },
      ],
      async start() {
        await writeStaticRows(db, configured, timestamp(ctx));
        await anonymous.store(ctx, monitor.log);
        await follower.start();
      },
      async stop() {
        await follower.stop();
        await lastUsed.flush();
      },
    };
  },
});
