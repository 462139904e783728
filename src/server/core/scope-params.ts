// How the parameters of a method's scopes follow from a request, for calls that are explained and not made.
import type { BodyOf, Endpoint, ParamsOf, QueryOf } from "../../api/endpoint.ts";
import type { Service } from "../../api/service.ts";
import type { ScopeSet } from "../../lib/scopes/scope-set.ts";
import type { ScopeParamsOf } from "./caller.ts";

/** A valid request, whose caller has the scopes `held`. */
export interface ScopeRequest<E = Endpoint> {
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  readonly held: ScopeSet;
}

/** For methods, a function that returns the parameters that are not in the path, unless they depend on stored state. */
export type ScopeParamsByMethod<Es extends Service["endpoints"]> = {
  readonly [K in keyof Es]?: (request: ScopeRequest<Es[K]>) => Partial<ScopeParamsOf<Es[K]>>;
};

/** The methods of a service. */
export interface ServiceContract {
  readonly api: Service;
  readonly scopeParams?: Readonly<Record<string, ((request: never) => object) | undefined>> | undefined;
}
