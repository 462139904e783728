// The contract of the identity service: signed tokens by which other systems recognize tasks.
import { endpoint } from "../endpoint.ts";
import { monitoringEndpoints, service } from "../service.ts";
import { AUDIENCE, oidcKeysFile, oidcTokenFile, rotateOidcKeysRequestFile } from "./schemas.ts";

const category = "Identity Service";

export const identityApi = service({
  name: "identity",
  version: "v1",
  title: "Identity",
  description:
    "Issues signed tokens (OpenID Connect) by which cloud providers and other systems recognize a task, so that tasks need no stored credentials. `/.well-known/openid-configuration` describes them.",
  endpoints: {
    ...monitoringEndpoints,
    oidcToken: endpoint({
      method: "GET",
      path: "/oidc-token/*audience",
      params: { audience: AUDIENCE },
      name: "oidcToken",
      category,
      stability: "experimental",
      title: "Get a token for the calling task",
      description:
        "Returns a signed JSON Web Token for an audience. The caller must have the credentials of a running task, and the token names that task, its group, project, scheduler and task queue. It expires within an hour, and no later than the credentials, the claim of the run and the deadline of the task. The audience is used as it is; percent-encode it in the path.",
      scopes: "auth:oidc-token:<audience>",
      reply: oidcTokenFile,
    }),
    rotateOidcKeys: endpoint({
      method: "POST",
      path: "/oidc-keys/rotate",
      name: "rotateOidcKeys",
      category,
      stability: "experimental",
      title: "Replace the key that signs tokens",
      description:
        "Publishes a new key, which signs after 15 minutes, when all verifiers can have it. The old one remains published until its last token has expired. With `revoke`, the new key signs immediately and all others are removed, so that verifiers refuse their tokens as soon as they fetch the keys again. Without `revoke`, nothing is changed while a key is published that does not sign yet.",
      scopes: "auth:rotate-oidc-keys",
      body: rotateOidcKeysRequestFile,
      reply: oidcKeysFile,
    }),
  },
  exchanges: {},
});
