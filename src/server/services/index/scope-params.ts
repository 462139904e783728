// How the parameters of this service's scopes follow from requests, where they are not simply members of these.
import type { indexApi } from "../../../api/index/index.ts";
import type { ScopeParamsByMethod } from "../../core/scope-params.ts";

export const scopeParams: ScopeParamsByMethod<(typeof indexApi)["endpoints"]> = {
  findTasksAtIndex: ({ body }) => ({ indexPaths: body.indexes ?? [] }),
};
