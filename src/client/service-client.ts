// The methods of one service as functions, typed by the contract.
import type { BodyOf, Endpoint, QueryOf, ReplyOf } from "../api/endpoint.ts";
import type { Service } from "../api/service.ts";
import { call, type Transport } from "./call.ts";
import { endpointUrl, type Values } from "./endpoint-url.ts";

/** The options of a call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** The timeout of each try in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** The number of retries. */
  readonly retries?: number | undefined;
}

/** Path parameters. Run ids may be numbers. */
export type CallParams<E> = E extends { readonly params: infer P }
  ? { readonly [K in keyof P]: string | number }
  : never;

type CallQuery<E> = { readonly [K in keyof QueryOf<E>]?: string | number | undefined };

/** The options of a method, with `query` if it has one. */
export type CallOptionsOf<E> = E extends { readonly query: unknown }
  ? CallOptions & { readonly query?: CallQuery<E> }
  : CallOptions;

type ParamsArgument<E> = E extends { readonly params: unknown } ? [params: CallParams<E>] : [];
type BodyArgument<E> = E extends { readonly body: unknown } ? [body: BodyOf<E>] : [];
type QueryArgument<E> = E extends { readonly query: unknown } ? [query?: CallQuery<E>] : [];

/** A method. Its arguments are the path parameters and the body, if it has them, and options. */
export interface Method<E> {
  (...args: [...ParamsArgument<E>, ...BodyArgument<E>, options?: CallOptionsOf<E>]): Promise<ReplyOf<E>>;
  /** Returns the URL of a call, for signed URLs and links. */
  url(...args: [...ParamsArgument<E>, ...QueryArgument<E>]): string;
}

/** The methods of a service. */
export type ServiceMethods<S extends Pick<Service, "endpoints">> = {
  readonly [K in keyof S["endpoints"]]: Method<S["endpoints"][K]>;
};

/** Creates the methods of a service. */
export function serviceMethods<S extends Service>(
  transport: Transport,
  rootUrl: string,
  service: S,
): ServiceMethods<S> {
  const methods: Record<string, unknown> = {};
  for (const [key, endpoint] of Object.entries(service.endpoints)) {
    methods[key] = method(transport, rootUrl, service, endpoint);
  }
  // Each method was created from the endpoint of the same key, and `method` splits its arguments as `Method` types them.
  return methods as ServiceMethods<S>;
}

interface Options extends CallOptions {
  readonly query?: Values;
}

function method(transport: Transport, rootUrl: string, service: Service, endpoint: Endpoint) {
  const name = `${service.name}.${endpoint.name}`;
  const takesParams = endpoint.params !== undefined;
  const invoke = (...args: readonly unknown[]): Promise<unknown> => {
    const rest = [...args];
    // The types of `Method` define the order of the arguments.
    const params = (takesParams ? rest.shift() : undefined) as Values | undefined;
    const body = endpoint.body === undefined ? undefined : rest.shift();
    const { query, ...options } = (rest.shift() ?? {}) as Options;
    const url = endpointUrl(rootUrl, service, endpoint, params, query);
    return call(transport, { name, method: endpoint.method, url, body, ...options });
  };
  const url = (...args: readonly (Values | undefined)[]): string => {
    const [params, query] = takesParams ? args : [undefined, ...args];
    return endpointUrl(rootUrl, service, endpoint, params, query);
  };
  return Object.assign(invoke, { url });
}
