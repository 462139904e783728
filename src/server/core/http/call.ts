// One API call as its handler sees it: checked input, and the caller's authority.
import type { ServerResponse } from "node:http";
import type { FastifyRequest } from "fastify";
import type { BodyOf, Endpoint, ParamsOf, QueryOf } from "../../../api/endpoint.ts";
import { ApiError } from "../../../lib/errors.ts";
import type { ScopeSet } from "../../../lib/scopes/scope-set.ts";
import { satisfiesExpression, unsatisfiedPart } from "../../../lib/scopes/expression.ts";
import { renderScopes } from "../../../lib/scopes/render.ts";
import type { ScopeExpression, ScopeParams } from "../../../lib/scopes/template.ts";
import { jsonBody } from "./body.ts";

/** What the caller proved to be. */
export interface Caller {
  readonly clientId: string | undefined;
  /** Everything the caller may do, roles expanded. */
  readonly scopes: ScopeSet;
  /** When the credentials end, in milliseconds since the epoch. */
  readonly expires: number;
}

/**
 * Tells who sent a request; throws `AuthenticationFailed`. `rawBody` is null where it is still to come: a signature that
 * covers it is not held against it then.
 */
export type Authenticate = (request: FastifyRequest, rawBody: string | undefined | null) => Caller;

export interface Call<E = Endpoint> {
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  /** The request itself, for the few methods that look at headers or addresses. */
  readonly request: FastifyRequest;
  /** Who asks; checks the credentials when first called. */
  caller(): Caller;
  /**
   * Checks that the caller satisfies the method's scopes, with these values for their holes. Methods whose
   * scopes need only parameters of the path are checked before the handler starts; all others must call this.
   */
  authorize(params: E extends { readonly scopes: infer S } ? ScopeParams<S> : Record<string, never>): void;
  /** Aborted when the client hangs up before it has its answer. */
  closed(): AbortSignal;
}

/** Makes the call of one request; `authorized` tells whether a check was made. */
export function createCall(
  endpoint: Endpoint,
  request: FastifyRequest,
  params: Record<string, string>,
  authenticate: Authenticate,
  response: ServerResponse,
): Call & { readonly authorized: boolean } {
  let caller: Caller | undefined;
  let authorized = endpoint.scopes === undefined;
  const body = jsonBody(request);
  const call = {
    params,
    query: request.query as Record<string, string>,
    body: body?.value as BodyOf<Endpoint>,
    request,
    get authorized() {
      return authorized;
    },
    caller: () => (caller ??= authenticate(request, body?.text)),
    authorize(values: Readonly<Record<string, unknown>>) {
      authorized = true;
      if (endpoint.scopes === undefined) return;
      const required = renderScopes(endpoint.scopes, values);
      // Nothing to check: then credentials are not looked at, not even bad ones.
      if (required === null) return;
      requireScopes(call.caller(), required);
    },
    closed() {
      // Of the response and not of the socket, which outlives this call and would gather listeners.
      const controller = new AbortController();
      if (request.raw.socket.destroyed) controller.abort();
      else response.once("close", () => controller.abort());
      return controller.signal;
    },
  };
  return call;
}

/** Throws `InsufficientScopes`, with what is missing, where the caller does not satisfy `required`. */
export function requireScopes(caller: Caller, required: ScopeExpression): void {
  if (satisfiesExpression(caller.scopes, required)) return;
  const whole = fenced(required);
  if (caller.clientId === undefined)
    throw new ApiError(
      "InsufficientScopes",
      `This request requires Taskcluster credentials that satisfy the following scope expression:\n\n${whole}`,
    );
  const missing = fenced(unsatisfiedPart(caller.scopes, required) ?? required);
  throw new ApiError(
    "InsufficientScopes",
    `Client ID ${caller.clientId} does not have sufficient scopes and is missing the following scopes:\n\n${missing}\n\n` +
      `This request requires the client to satisfy the following scope expression:\n\n${whole}`,
  );
}

/** Longer expressions are cut: those of a thousand tasks would help nobody. */
const MAX_TOLD = 20_000;

function fenced(expression: ScopeExpression): string {
  const text = typeof expression === "string" ? expression : JSON.stringify(expression, null, 2);
  return "```\n" + (text.length <= MAX_TOLD ? text : `${text.slice(0, MAX_TOLD)}\n…`) + "\n```";
}
