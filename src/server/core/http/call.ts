// An API call as passed to its handler: validated input, and the caller.
import type { ServerResponse } from "node:http";
import type { FastifyRequest } from "fastify";
import type { BodyOf, Endpoint, ParamsOf, QueryOf } from "../../../api/endpoint.ts";
import { authorize, type Caller, type Identity } from "../caller.ts";
import { jsonBody } from "./body.ts";

/**
 * Checks the credentials of a request. Throws `AuthenticationFailed`. `rawBody` is null if the body has not been read
 * yet; a hash of it in the signature is then not checked.
 */
export type Authenticate = (request: FastifyRequest, rawBody: string | undefined | null) => Identity;

export interface Call<E = Endpoint> {
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  /** The request itself, for the few methods that need its headers or addresses. */
  readonly request: FastifyRequest;
  /**
   * The caller. Handlers must authorize it for their endpoint before they reply. Scopes that need only parameters of
   * the path were checked before the handler started; checking them again with the same values costs nothing.
   */
  readonly caller: Caller;
  /**
   * Returns a signal that is aborted when the client disconnects before it has its reply, and when the credentials of the
   * caller end. For calls that wait and streams.
   */
  closed(): AbortSignal;
}

/**
 * Returns what the limits for one caller count by: the address, and for callers with credentials also the client, since
 * workers of many machines may share one.
 */
export function callerKey({ caller, request }: Pick<Call, "caller" | "request">): string {
  const { clientId } = caller.identity();
  return clientId === undefined ? request.ip : `${request.ip} ${clientId}`;
}

export interface ServedCall extends Call {
  /** Checks the scopes, whose holes are all parameters of the path. */
  authorizeByPath(holes: readonly string[]): void;
  /** Whether the caller was authorized for the endpoint, or the endpoint is public. */
  readonly authorized: boolean;
}

export function createCall(
  endpoint: Endpoint,
  request: FastifyRequest,
  params: Readonly<Record<string, string>>,
  authenticate: Authenticate,
  response: ServerResponse,
): ServedCall {
  let identity: Identity | undefined;
  let authorized = endpoint.scopes === undefined;
  /** The parameters with which the scopes were checked by path. */
  let checked: readonly string[] | undefined;
  const body = jsonBody(request);
  const identify = (): Identity => (identity ??= authenticate(request, body?.text));
  const caller: Caller = {
    identity: identify,
    authorize(of: Endpoint, values: Readonly<Record<string, unknown>>) {
      // An alias of another method (defineTask) has the same scopes and is authorized as that method.
      if (of.scopes === endpoint.scopes) {
        authorized = true;
        if (checked?.every((name) => String(values[name]) === params[name])) return;
      }
      authorize(identify, of, values);
    },
  };
  return {
    params,
    query: request.query as Record<string, string>,
    body: body?.value as BodyOf<Endpoint>,
    request,
    caller,
    get authorized() {
      return authorized;
    },
    authorizeByPath(holes) {
      authorized = true;
      authorize(identify, endpoint, params);
      checked = holes;
    },
    closed() {
      const controller = new AbortController();
      const abort = (): void => controller.abort();
      const cancel = endpoint.scopes === undefined ? undefined : identify().whenEnded?.(abort);
      // Listens on the response, not on the socket, which outlives this call and would accumulate listeners.
      const end = (): void => {
        cancel?.();
        abort();
      };
      if (request.raw.socket.destroyed) end();
      else response.once("close", end);
      return controller.signal;
    },
  };
}
