// The contract of the auth service: who a caller is, and what it may do.
import { endpoint } from "../endpoint.ts";
import { monitoringEndpoints, service } from "../service.ts";
import {
  authenticateHawkReplyFile,
  authenticateHawkRequestFile,
  CLIENT_ID_PATTERN,
  clientFile,
  scopeSetFile,
  testAuthenticateReplyFile,
  testAuthenticateRequestFile,
} from "./schemas.ts";

/**
 * No client holds as many scopes as this has room for. That none comes twice is looked at as a whole: 4 µs for each,
 * which was 1.5 s for what fits the general limit, and the methods are open to everybody.
 */
const BODY_LIMIT = 256 * 1024;

export const authApi = service({
  name: "auth",
  version: "v1",
  title: "Auth",
  description: "Knows clients and roles, checks the signatures of requests, and tells what scopes amount to.",
  endpoints: {
    ...monitoringEndpoints,
    client: endpoint({
      method: "GET",
      path: "/clients/*clientId",
      params: { clientId: new RegExp(CLIENT_ID_PATTERN) },
      name: "client",
      category: "Clients",
      stability: "stable",
      title: "Get a client",
      description: "Everything about a client but its access token.",
      scopes: "auth:get-client:<clientId>",
      reply: clientFile,
    }),
    expandScopes: endpoint({
      method: "POST",
      path: "/scopes/expand",
      name: "expandScopes",
      category: "Scopes and Auth",
      stability: "stable",
      title: "Expand scopes",
      description: "The given scopes with all that they grant by way of roles: sorted, and nothing twice.",
      scopes: "auth:expand-scopes",
      body: scopeSetFile,
      bodyLimit: BODY_LIMIT,
      reply: scopeSetFile,
    }),
    currentScopes: endpoint({
      method: "GET",
      path: "/scopes/current",
      name: "currentScopes",
      category: "Scopes and Auth",
      stability: "stable",
      title: "What may I do?",
      description:
        "The expanded scopes of the caller, as this very request holds them: with temporary credentials or " +
        "`authorizedScopes` that is less than the client's own.",
      scopes: "auth:current-scopes",
      reply: scopeSetFile,
    }),
    authenticateHawk: endpoint({
      method: "POST",
      path: "/authenticate-hawk",
      name: "authenticateHawk",
      category: "Scopes and Auth",
      stability: "stable",
      title: "Check a signature",
      description:
        "Tells who signed a request that came to another service, from its header or bewit. That the hash of the " +
        "body fits is for the one to check who has the body.",
      body: authenticateHawkRequestFile,
      reply: authenticateHawkReplyFile,
    }),
    testAuthenticate: endpoint({
      method: "POST",
      path: "/test-authenticate",
      name: "testAuthenticate",
      category: "Scopes and Auth",
      stability: "stable",
      title: "Try out signing",
      description:
        "For the tests of client libraries: sign as `tester` with the access token `no-secret`. The client is taken " +
        "to hold `clientScopes`, and answered if that covers `requiredScopes`. No role adds anything here.",
      body: testAuthenticateRequestFile,
      bodyLimit: BODY_LIMIT,
      reply: testAuthenticateReplyFile,
    }),
    testAuthenticateGet: endpoint({
      method: "GET",
      path: "/test-authenticate-get/",
      name: "testAuthenticateGet",
      category: "Scopes and Auth",
      stability: "stable",
      title: "Try out signing a GET",
      description:
        "As `testAuthenticate`, for methods without a body and for signed URLs. The client `tester` is taken to hold " +
        "`test:*` and `auth:create-client:test:*`; needed is `test:authenticate-get`.",
      reply: testAuthenticateReplyFile,
    }),
  },
  exchanges: {},
});
