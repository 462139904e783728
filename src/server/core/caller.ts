// The client for whom a use case acts, and its scopes. For an HTTP request, the caller is created from its credentials;
// other services in this process create one from a set of scopes.
import type { Endpoint } from "../../api/endpoint.ts";
import { ApiError } from "../../lib/errors.ts";
import { satisfiesExpression, unsatisfiedPart } from "../../lib/scopes/expression.ts";
import { missingScopes } from "../../lib/scopes/explain.ts";
import { renderScopes } from "../../lib/scopes/render.ts";
import type { ScopeSet } from "../../lib/scopes/scope-set.ts";
import type { ScopeExpression, ScopeParams } from "../../lib/scopes/template.ts";

/** What credentials prove. */
export interface Identity {
  /** Undefined for a request without credentials. */
  readonly clientId: string | undefined;
  /** The client that issued the credentials, if they are temporary and have a name of their own. */
  readonly issuer?: string | undefined;
  /** All scopes, roles expanded. */
  readonly scopes: ScopeSet;
  /** When the credentials expire, in milliseconds since the epoch. */
  readonly expires: number;
  /**
   * Calls `end` once if the credentials end: their client is disabled, deleted or expires. Returns a function that cancels
   * this. Absent for callers without credentials.
   */
  readonly whenEnded?: (end: () => void) => () => void;
}

/** The values of the parameters in an endpoint's scopes. */
export type ScopeParamsOf<E> = E extends { readonly scopes: infer S }
  ? ScopeParams<S>
  : Record<string, never>;

export interface Caller {
  /** Returns the identity of the caller. For a request, the first call checks the credentials; throws `AuthenticationFailed`. */
  identity(): Identity;
  /** Throws `InsufficientScopes` unless the caller satisfies the endpoint's scopes with these parameters. */
  authorize<const E extends Endpoint>(endpoint: E, params: ScopeParamsOf<E>): void;
}

/** Creates a caller within the process that has these scopes. */
export function callerWith({
  clientId,
  scopes,
  expires = Infinity,
}: Pick<Identity, "clientId" | "scopes"> & Partial<Identity>): Caller {
  const identity: Identity = { clientId, scopes, expires };
  return {
    identity: () => identity,
    authorize: (endpoint, params) => authorize(() => identity, endpoint, params),
  };
}

/** Checks the scopes of an endpoint. If none are required, the identity is not requested. */
export function authorize(
  identity: () => Identity,
  { scopes }: Endpoint,
  params: Readonly<Record<string, unknown>>,
): void {
  const required = scopes === undefined ? null : renderScopes(scopes, params);
  if (required !== null) requireScopes(identity(), required);
}

/** Throws `InsufficientScopes` with the missing scopes unless `required` is satisfied. */
export function requireScopes({ clientId, scopes }: Identity, required: ScopeExpression): void {
  if (satisfiesExpression(scopes, required)) return;
  const whole = fenced(required);
  if (clientId === undefined)
    throw new ApiError(
      "InsufficientScopes",
      `This request requires Taskcluster credentials that satisfy the following scope expression:\n\n${whole}\n\n` +
        "Sign it with such credentials: `taskyard env` prints those of a local server.",
    );
  const unsatisfied = unsatisfiedPart(scopes, required) ?? required;
  const missing = fenced(unsatisfied);
  throw new ApiError(
    "InsufficientScopes",
    `Client ID ${clientId} does not have sufficient scopes and is missing the following scopes:\n\n${missing}\n\n` +
      (missing === whole
        ? ""
        : `This request requires the client to satisfy the following scope expression:\n\n${whole}\n\n`) +
      `Use other credentials, or have ${sufficient(scopes, unsatisfied)} added to the client.`,
  );
}

/** Names the fewest scopes that suffice, unless the expression offers no choice: it lists the same scopes already. */
function sufficient(held: ScopeSet, unsatisfied: ScopeExpression): string {
  const offersChoice = typeof unsatisfied !== "string" && JSON.stringify(unsatisfied).includes('{"AnyOf":');
  const missing = offersChoice ? missingScopes(held, unsatisfied) : undefined;
  if (missing === undefined || missing.length > 10) return "these scopes";
  return missing.map((scope) => `\`${scope.slice(0, 200)}\``).join(", ");
}

/** Longer expressions are truncated: nobody reads the scopes of a thousand tasks. */
const MAX_SHOWN = 20_000;

function fenced(expression: ScopeExpression): string {
  const text = typeof expression === "string" ? expression : JSON.stringify(expression, null, 2);
  return "```\n" + (text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}\n…`) + "\n```";
}
