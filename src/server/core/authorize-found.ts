// Authorization for methods whose scopes contain values of the row that they are about, such as the scheduler of a task. A
// caller that cannot satisfy the scopes learns neither these values nor whether the row exists.
import type { Endpoint } from "../../api/endpoint.ts";
import { satisfiesExpression } from "../../lib/scopes/expression.ts";
import { renderScopes, templateParams } from "../../lib/scopes/render.ts";
import type { ScopeSet } from "../../lib/scopes/scope-set.ts";
import type { ScopeTemplate } from "../../lib/scopes/template.ts";
import { requireScopes, type Caller, type ScopeParamsOf } from "./caller.ts";
import { InternalError } from "../../lib/internal-error.ts";

/** Not a character of scopes. */
const UNKNOWN = "\0";

type Params = Readonly<Record<string, string | number>>;

export interface Finding<E, Row> {
  /** The parameters that the request contains. */
  readonly known: Params;
  /** Reads the row. May throw `ResourceNotFound`. */
  read(): Promise<Row>;
  /** Returns all parameters. */
  params(row: Row): ScopeParamsOf<E>;
  /** The scope to read the row. Callers with it get the values of the row in an error. */
  readonly readableWith: string;
}

/**
 * Reads a row and authorizes the caller for the endpoint with its values. Throws `InsufficientScopes` before the row is read
 * if no value could satisfy the scopes.
 */
export async function readAuthorized<const E extends Endpoint, Row>(
  caller: Caller,
  endpoint: E,
  finding: Finding<E, Row>,
): Promise<Row> {
  const identity = caller.identity();
  const { scopes: template } = endpoint;
  if (template === undefined) throw new InternalError(`${endpoint.name} requires no scopes`);
  const mayRead = identity.scopes.satisfies(finding.readableWith);
  const refuse = (): void => requireScopes(identity, withPlaceholders(template, finding.known));
  if (!mayRead && !isPossible(template, finding.known, identity.scopes)) refuse();
  const row = await finding.read();
  try {
    caller.authorize(endpoint, finding.params(row));
  } catch (error) {
    if (!mayRead) refuse();
    throw error;
  }
  return row;
}

/** Reports whether the scopes are satisfied for some values of the parameters that are not known. */
function isPossible(template: ScopeTemplate, known: Params, held: ScopeSet): boolean {
  const expression = renderScopes(
    template,
    fillUnknown(template, known, () => UNKNOWN),
  );
  const satisfies = (scope: string): boolean => {
    const at = scope.indexOf(UNKNOWN);
    if (at === -1) return held.satisfies(scope);
    const prefix = scope.slice(0, at);
    return held.satisfies(prefix) || held.list.some((one) => one.startsWith(prefix));
  };
  return expression === null || satisfiesExpression({ satisfies }, expression);
}

/** Returns the scopes with `<name>` for parameters that are not known. No caller satisfies these. */
function withPlaceholders(template: ScopeTemplate, known: Params) {
  const expression = renderScopes(
    template,
    fillUnknown(template, known, (name) => `<${name}>`),
  );
  if (expression === null) throw new InternalError("a method without scopes has nothing to authorize");
  return expression;
}

const fillUnknown = (template: ScopeTemplate, known: Params, value: (name: string) => string): Params => ({
  ...Object.fromEntries(templateParams(template).map(({ name }) => [name, value(name)])),
  ...known,
});
