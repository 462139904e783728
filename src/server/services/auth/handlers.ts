// Handlers of the auth service.
import type { authApi } from "../../../api/auth/index.ts";
import type { ClientReply } from "../../../api/auth/schemas.ts";
import { ApiError } from "../../../lib/errors.ts";
import { compileRoles } from "../../../lib/scopes/roles.ts";
import { jsonBody } from "../../core/http/body.ts";
import { requireScopes } from "../../core/caller.ts";
import type { Call } from "../../core/http/call.ts";
import type { Handlers } from "../../core/http/serve.ts";
import { createAuthenticator, type Authenticator } from "./authenticate.ts";
import type { Client, ClientDirectory } from "./clients.ts";
import type { AuthContext } from "./context.ts";
import { createRequestAuthenticator } from "./request-authenticator.ts";

export type AuthHandlers = Omit<Handlers<typeof authApi>, "ping" | "lbheartbeat" | "version" | "heartbeat">;

export function authHandlers(ctx: AuthContext, authenticate: Authenticator): AuthHandlers {
  const { clients } = ctx;
  return {
    client({ params }) {
      const client = clients.client(params.clientId);
      if (client === undefined) {
        throw new ApiError(
          "ResourceNotFound",
          `There is no client with the id '${params.clientId}'. Check its spelling; clients are defined in the setting auth.staticClients.`,
        );
      }
      return publicForm(client, clients);
    },
    expandScopes: ({ body }) => ({ scopes: clients.roles.expand(body.scopes) }),
    currentScopes: (call) => ({ scopes: [...call.caller.identity().scopes.list] }),
    authenticateHawk({ body }) {
      const result = authenticate(body);
      if (result.status === "auth-failed") return { status: result.status, message: result.message };
      return { ...result, scopes: [...result.scopes.list], expires: new Date(result.expires).toISOString() };
    },
    testAuthenticate: (call) => testCredentials(call, ctx, call.body),
    testAuthenticateGet: (call) =>
      testCredentials(call, ctx, {
        clientScopes: ["test:*", "auth:create-client:test:*"],
        requiredScopes: ["test:authenticate-get"],
      }),
  };
}

/** Returns a client without its token. Configured clients have the same time for creation and all changes. */
function publicForm(client: Client, { roles }: ClientDirectory): ClientReply {
  const { clientId, description, scopes, disabled } = client;
  const created = new Date(client.created).toISOString();
  return {
    clientId,
    description,
    scopes: [...scopes],
    expandedScopes: roles.expand(scopes),
    disabled,
    deleteOnExpiration: false,
    expires: new Date(client.expires).toISOString(),
    created,
    lastModified: created,
    lastRotated: created,
    lastDateUsed: created,
  };
}

/** Authenticates the request against a directory with one test client and no roles. */
function testCredentials(
  call: Pick<Call, "request">,
  ctx: AuthContext,
  { clientScopes, requiredScopes }: { clientScopes: readonly string[]; requiredScopes: readonly string[] },
): { clientId: string; scopes: string[] } {
  const { clock, hawkSkewMs } = ctx;
  const tester: Client = {
    clientId: "tester",
    accessToken: "no-secret",
    description: "The client of tests.",
    scopes: clientScopes,
    created: clock.now(),
    expires: clock.now() + 60 * 60 * 1000,
    disabled: false,
  };
  const clients: ClientDirectory = {
    generation: 0,
    roles: compileRoles([]),
    client: (clientId) => (clientId === tester.clientId ? tester : undefined),
  };
  const authenticate = createAuthenticator({ clients, clock, hawkSkewMs, cacheSize: 1 });
  const check = createRequestAuthenticator(ctx, authenticate);
  const identity = check(call.request, jsonBody(call.request)?.text);
  if (identity.clientId === undefined) {
    throw new ApiError(
      "AuthenticationFailed",
      "The request has no credentials: sign it as 'tester' with the access token 'no-secret'.",
    );
  }
  requireScopes(identity, { AllOf: requiredScopes });
  return { clientId: identity.clientId, scopes: [...identity.scopes.list] };
}
