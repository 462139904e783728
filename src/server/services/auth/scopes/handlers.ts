// The methods on scopes and signatures over HTTP.
import type { scopeEndpoints } from "../../../../api/auth/endpoints/scopes.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import type { ClientDirectory } from "../directory/client-directory.ts";
import type { LastUsed } from "../directory/last-used.ts";
import type { Authenticator } from "../signature/authenticate.ts";
import { testCredentials, type TestOptions } from "./test-credentials.ts";

export const scopeHandlers = (
  { roles }: Pick<ClientDirectory, "roles">,
  authenticate: Authenticator,
  lastUsed: Pick<LastUsed, "used">,
  test: TestOptions,
): HandlersOf<typeof scopeEndpoints> => ({
  expandScopes: ({ body }) => ({ scopes: roles.expand(body.scopes) }),
  currentScopes: (call) => ({ scopes: [...call.caller.identity().scopes.list] }),
  authenticateHawk({ body }) {
    const result = authenticate(body);
    if (result.status === "auth-failed") return { status: result.status, message: result.message };
    const found = { scopes: [...result.scopes.list], expires: new Date(result.expires).toISOString() };
    if (result.status === "no-auth") return { status: result.status, scheme: result.scheme, ...found };
    const { status, scheme, clientId, hash, credentials } = result;
    lastUsed.used(credentials.signer.clientId);
    return { status, scheme, clientId, ...found, ...(hash !== undefined && { hash }) };
  },
  testAuthenticate: (call) => testCredentials(call, test, call.body),
  testAuthenticateGet: (call) =>
    testCredentials(call, test, {
      clientScopes: ["test:*", "auth:create-client:test:*"],
      requiredScopes: ["test:authenticate-get"],
    }),
});
