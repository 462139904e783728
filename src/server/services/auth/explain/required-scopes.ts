// The scopes that a call requires, without making it.
import type { Endpoint } from "../../../../api/endpoint.ts";
import type { ExplainRequest } from "../../../../api/auth/explain.ts";
import { didYouMean } from "../../../../lib/did-you-mean.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { renderScopes, templateParams, type TemplateParam } from "../../../../lib/scopes/render.ts";
import type { ScopeSet } from "../../../../lib/scopes/scope-set.ts";
import type { ScopeExpression } from "../../../../lib/scopes/template.ts";
import { describeError, errorFinder } from "../../../core/schema-check.ts";
import type { ServiceContract } from "../../../core/scope-params.ts";

type MethodCall = NonNullable<ExplainRequest["method"]>;
type Values = Readonly<Record<string, unknown>>;

/** Each list parameter has one scope for each element, in which text parameters may be repeated. */
const MAX_CHARACTERS = 8_000_000;
const MAX_FAULTS = 10;

/**
 * Returns the scopes that the call requires of a caller who has the scopes `held`, or null if it requires none. Throws
 * `InputError` if there is no such method, or if parameters are missing or invalid.
 */
export function requiredScopes(
  contracts: readonly ServiceContract[],
  call: MethodCall,
  held: ScopeSet,
): ScopeExpression | null {
  const { endpoint, derive } = findMethod(contracts, call);
  const { scopes } = endpoint;
  if (scopes === undefined) return null;
  const holes = templateParams(scopes);
  const given: Values = call.params ?? {};
  checkParams(call, endpoint, holes, given);
  checkBody(call, endpoint);
  const isGiven = holes.every(({ name }) => given[name] !== undefined);
  const derived =
    !isGiven && isComplete(call, endpoint, given)
      ? (derive?.({
          params: texts(given, Object.keys(endpoint.params ?? {})),
          query: texts(given, Object.keys(endpoint.query ?? {})),
          body: call.body,
          held,
        }) ?? {})
      : {};
  const values: Values = { ...bodyMembers(call.body, holes), ...derived, ...given };
  const missing = holes.filter(({ name }) => values[name] === undefined);
  if (missing.length > 0) throw missingParams(call, endpoint, missing);
  checkSize(holes, values);
  return renderScopes(scopes, values);
}

interface FoundMethod {
  readonly endpoint: Endpoint;
  readonly derive: ((request: object) => Values) | undefined;
}

function findMethod(contracts: readonly ServiceContract[], call: MethodCall): FoundMethod {
  const contract = contracts.find(({ api }) => api.name === call.service);
  if (contract === undefined)
    throw new ApiError(
      "InputError",
      `There is no service '${call.service}'. Use one of ${contracts.map(({ api }) => api.name).join(", ")}.`,
    );
  const found = Object.entries(contract.api.endpoints).find(([, { name }]) => name === call.name);
  if (found === undefined) {
    const names = Object.values(contract.api.endpoints).map(({ name }) => name);
    const near = didYouMean(call.name, names);
    throw new ApiError(
      "InputError",
      `The service ${call.service} has no method '${call.name}'. ${near === undefined ? `Use one of ${names.join(", ")}.` : `Did you mean '${near}'?`}`,
    );
  }
  const [key, endpoint] = found;
  const derive = contract.scopeParams?.[key];
  // The compiler checked the function against its endpoint. It is called with a request that was checked against it here.
  return { endpoint, derive: derive as FoundMethod["derive"] };
}

/** Refuses parameters that the method does not have, and values that do not fit. */
function checkParams(
  call: MethodCall,
  endpoint: Endpoint,
  holes: readonly TemplateParam[],
  given: Values,
): void {
  const patterns = { ...endpoint.params, ...endpoint.query };
  const problems: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const pattern = Object.hasOwn(patterns, name) ? patterns[name] : undefined;
    const hole = holes.find((one) => one.name === name);
    if (pattern === undefined && hole === undefined)
      problems.push(
        `'${name}' is not a parameter of ${call.service}.${call.name}, which has ${listed([...Object.keys(patterns), ...holes.map((one) => one.name)])}`,
      );
    else if (pattern !== undefined && (hole === undefined || hole.kind === "text") && !isText(value))
      problems.push(`'${name}' must be a string or a number`);
    else if (pattern !== undefined && isText(value) && !pattern.test(String(value)))
      problems.push(`'${name}' must match ${String(pattern)}`);
    else if (hole !== undefined && pattern === undefined && !isOfKind(hole, value))
      problems.push(`'${name}' must be ${kindNames[hole.kind]}`);
    if (problems.length === MAX_FAULTS) break;
  }
  if (problems.length > 0)
    // oxlint-disable-next-line messages/next-step -- each problem states what would be right
    throw new ApiError("InputError", `Invalid params:\n${problems.map((text) => `  * ${text}`).join("\n")}`);
}

/** Checks the body as a call would, and fills in its defaults. */
function checkBody({ service, name, body }: MethodCall, endpoint: Endpoint): void {
  if (body === undefined) return;
  if (endpoint.body === undefined)
    throw new ApiError("InputError", `${service}.${name} has no body: omit \`body\`.`);
  const faults = errorFinder(endpoint.body.schema)(body, () => JSON.stringify(body).length);
  if (faults.length === 0) return;
  const lines = faults
    .slice(0, MAX_FAULTS)
    .map((fault) => `  * body${fault.instancePath} ${describeError(fault)}`);
  // oxlint-disable-next-line messages/next-step -- each line states what would be right
  throw new ApiError("InputError", `${service}.${name} would refuse this body:\n${lines.join("\n")}`);
}

const isComplete = ({ body }: MethodCall, endpoint: Endpoint, given: Values): boolean =>
  (endpoint.body === undefined || body !== undefined) &&
  Object.keys(endpoint.params ?? {}).every((name) => given[name] !== undefined);

const texts = (given: Values, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (isText(given[name]) ? [[name, String(given[name])]] : [])));

/** Returns the members of the body that have the name and kind of a parameter, such as `projectId`. */
function bodyMembers(body: unknown, holes: readonly TemplateParam[]): Values {
  if (typeof body !== "object" || body === null) return {};
  const members = new Map<string, unknown>(Object.entries(body));
  return Object.fromEntries(
    holes.flatMap((hole) => {
      const value = members.get(hole.name);
      return isOfKind(hole, value) ? [[hole.name, value]] : [];
    }),
  );
}

function missingParams(call: MethodCall, endpoint: Endpoint, missing: readonly TemplateParam[]): ApiError {
  const inPath = Object.keys(endpoint.params ?? {});
  const names = missing.map(({ name, kind }) => `${name} (${kindNames[kind]})`);
  const fromBody = endpoint.body !== undefined && call.body === undefined;
  const fromState = missing.some(({ name }) => !inPath.includes(name));
  return new ApiError(
    "InputError",
    `The scopes of ${call.service}.${call.name} also depend on ${listed(names)}. Give ${missing.length === 1 ? "it" : "them"} in \`params\`` +
      (fromBody
        ? `, or give all parameters of the path (${listed(inPath)}) and the body of the call, from which they may follow`
        : "") +
      (fromState && !fromBody
        ? ": such values are those of the task, group, client or role that the call is about"
        : "") +
      ".",
  );
}

/** Refuses parameters that would be repeated too often. */
function checkSize(holes: readonly TemplateParam[], values: Values): void {
  let elements = 1;
  let characters = 100;
  for (const { name } of holes) {
    const value = values[name];
    if (Array.isArray(value)) {
      elements += value.length;
      for (const element of value) characters += String(element).length / value.length;
    } else characters += String(value).length;
  }
  if (elements * characters > MAX_CHARACTERS)
    throw new ApiError(
      "InputError",
      "The scopes of this call would have millions of characters. Give fewer elements, or shorter texts.",
    );
}

const kindNames = { text: "a string or a number", list: "a list of strings", flag: "true or false" } as const;

const isText = (value: unknown): value is string | number =>
  typeof value === "string" || typeof value === "number";

const isOfKind = ({ kind }: TemplateParam, value: unknown): boolean =>
  kind === "text"
    ? isText(value)
    : kind === "flag"
      ? typeof value === "boolean"
      : Array.isArray(value) && value.every((element) => typeof element === "string");

const listed = (names: readonly string[]): string =>
  names.length === 0 ? "none" : [...new Set(names)].join(", ");
