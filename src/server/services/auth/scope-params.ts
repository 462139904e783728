// How the parameters of this service's scopes follow from requests, where they are not simply members of these.
import type { authApi } from "../../../api/auth/index.ts";
import type { ScopeParamsByMethod } from "../../core/scope-params.ts";
import { isReadOnly, repositoryPermissions } from "./other-systems/handlers.ts";

const ofLevel = ({ params }: { readonly params: { readonly level: string } }) => ({
  levelIsReadOnly: isReadOnly(params.level),
});

export const scopeParams: ScopeParamsByMethod<(typeof authApi)["endpoints"]> = {
  createClient: ({ body }) => ({ scopes: body.scopes ?? [] }),
  awsS3Credentials: ofLevel,
  azureTableSAS: ofLevel,
  azureContainerSAS: ofLevel,
  githubRepoToken: ({ body }) => ({ repoPerms: repositoryPermissions(body) }),
  explainScopes: ({ body: { clientId, roleId } }) => ({
    clientIds: clientId === undefined ? [] : [clientId],
    roleIds: roleId === undefined ? [] : [roleId],
  }),
};
