// The methods with which client libraries test their signatures, against a directory with one client and no roles.
import { ApiError } from "../../../../lib/errors.ts";
import { requireScopes } from "../../../core/caller.ts";
import { jsonBody } from "../../../core/http/body.ts";
import type { Call } from "../../../core/http/call.ts";
import type { Client } from "../directory/client-directory.ts";
import { createRoleView } from "../directory/role-view.ts";
import { createScopeView } from "../directory/scope-view.ts";
import { createAuthenticator, type AuthenticatorOptions } from "../signature/authenticate.ts";
import {
  createRequestAuthenticator,
  type RequestAuthenticatorOptions,
} from "../signature/request-authenticator.ts";

export type TestOptions = Pick<AuthenticatorOptions, "clock" | "hawkSkewMs"> &
  Pick<RequestAuthenticatorOptions, "rootUrl" | "trustProxy" | "otherSites">;

/** Authenticates the request as if its client had `clientScopes`, and checks `requiredScopes`. */
export function testCredentials(
  call: Pick<Call, "request">,
  { rootUrl, trustProxy, otherSites, clock, hawkSkewMs }: TestOptions,
  { clientScopes, requiredScopes }: { clientScopes: readonly string[]; requiredScopes: readonly string[] },
): { clientId: string; scopes: string[] } {
  const tester: Client = {
    clientId: "tester",
    accessToken: "no-secret",
    scopes: clientScopes,
    expires: clock.now() + 60 * 60 * 1000,
    disabled: false,
  };
  const roles = createRoleView();
  const clients = {
    roles,
    client: (clientId: string) => (clientId === tester.clientId ? tester : undefined),
  };
  const view = createScopeView(roles);
  const authenticate = createAuthenticator({ clients, view, clock, hawkSkewMs, cacheSize: 1 });
  const check = createRequestAuthenticator({ rootUrl, trustProxy, otherSites }, authenticate);
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
