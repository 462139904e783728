// How the parameters of this service's scopes follow from requests, where they are not simply members of these.
import type { workerManagerApi } from "../../../api/worker-manager/index.ts";
import type { ScopeParamsByMethod } from "../../core/scope-params.ts";

export const scopeParams: ScopeParamsByMethod<(typeof workerManagerApi)["endpoints"]> = {
  workerPoolErrorStats: ({ query }) => ({ workerPoolId: query.workerPoolId ?? "*" }),
};
