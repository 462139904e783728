// Methods on scopes and signatures.
import { endpoint } from "../../endpoint.ts";
import {
  authenticateHawkReplyFile,
  authenticateHawkRequestFile,
  testAuthenticateReplyFile,
  testAuthenticateRequestFile,
} from "../authentication.ts";
import { scopeSetFile } from "../scopes.ts";

/**
 * More than enough for the scopes of any client. Checking that a list has no duplicates takes 4 µs per scope, which was
 * 1.5 s for a body of the general limit, and the methods are open to everyone.
 */
const BODY_LIMIT = 256 * 1024;

export const scopeEndpoints = {
  expandScopes: endpoint({
    method: "POST",
    path: "/scopes/expand",
    name: "expandScopes",
    category: "Scopes and Auth",
    stability: "stable",
    title: "Expand scopes",
    description:
      "Returns the given scopes and all scopes that they grant through roles, sorted and without duplicates.",
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
    title: "Get the caller's scopes",
    description:
      "Returns the expanded scopes of the caller for this request. With temporary credentials or " +
      "`authorizedScopes` these are fewer than those of the client.",
    scopes: "auth:current-scopes",
    reply: scopeSetFile,
  }),
  authenticateHawk: endpoint({
    method: "POST",
    path: "/authenticate-hawk",
    name: "authenticateHawk",
    category: "Scopes and Auth",
    stability: "stable",
    title: "Verify a signature",
    description:
      "Identifies the client that signed a request to another service, by its header or bewit. The other service " +
      "must compare the hash of the body itself.",
    body: authenticateHawkRequestFile,
    reply: authenticateHawkReplyFile,
  }),
  testAuthenticate: endpoint({
    method: "POST",
    path: "/test-authenticate",
    name: "testAuthenticate",
    category: "Scopes and Auth",
    stability: "stable",
    title: "Test a signature",
    description:
      "For the tests of client libraries. Sign as `tester` with the access token `no-secret`. The call succeeds if " +
      "`clientScopes`, which the client is assumed to have, satisfy `requiredScopes`. Roles are not expanded.",
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
    title: "Test the signature of a GET",
    description:
      "Like `testAuthenticate`, for methods without a body and for signed URLs. The client `tester` is assumed to " +
      "have `test:*` and `auth:create-client:test:*`. The required scope is `test:authenticate-get`.",
    reply: testAuthenticateReplyFile,
  }),
} as const;
