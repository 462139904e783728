// The bindings of a listener: parses the query parameter and matches events.
import { exchangeName, type Service } from "../../../api/service.ts";
import { services } from "../../../api/services.ts";
import { didYouMean } from "../../../lib/did-you-mean.ts";
import { ApiError } from "../../../lib/errors.ts";
import { keyWords, topicMatcher } from "../../../lib/routing-keys.ts";
import type { LoggedEvent } from "../../core/event-log/index.ts";

export interface Binding {
  readonly exchange: string;
  readonly routingKeyPattern: string;
}

const maxBindings = 100;
// As in AMQP, whose names are short strings.
const maxBytes = 255;

const ownPrefixes = Object.values(services).map(({ name }) => `exchange/taskcluster-${name}/`);
/** The exchanges of this server, each with the scope of listeners that it has. */
const ownExchanges: ReadonlyMap<string, string | undefined> = new Map(
  Object.values<Service>(services).flatMap((service) =>
    Object.values(service.exchanges).map((declared) => [exchangeName(service, declared), declared.scope]),
  ),
);

const example =
  '{"bindings":[{"exchange":"exchange/taskcluster-queue/v1/task-completed","routingKeyPattern":"primary.#"}]}';

/** Parses the query parameter. Throws an InputError that names the invalid member. */
export function parseBindings(text: string | undefined): Binding[] {
  if (text === undefined || text === "")
    throw invalid("bindings", `is missing. It selects the events, for example ${example}`);
  const value = parseJson(text);
  const { bindings } = members("bindings", value, ["bindings"]);
  if (!Array.isArray(bindings)) throw invalid("bindings.bindings", "must be an array");
  if (bindings.length === 0 || bindings.length > maxBindings)
    throw invalid("bindings.bindings", `must have 1 to ${maxBindings} elements, not ${bindings.length}`);
  return bindings.map((element: unknown, i) => {
    const path = `bindings.bindings[${i}]`;
    const { exchange, routingKeyPattern } = members(path, element, ["exchange", "routingKeyPattern"]);
    const binding = {
      exchange: shortString(`${path}.exchange`, exchange, 1),
      routingKeyPattern: shortString(`${path}.routingKeyPattern`, routingKeyPattern, 0),
    };
    checkExchange(`${path}.exchange`, binding.exchange);
    return binding;
  });
}

/** Returns the scopes that listeners to the exchanges of the bindings need. */
export const scopesOf = (bindings: readonly Binding[]): string[] => [
  ...new Set(bindings.flatMap(({ exchange }) => ownExchanges.get(exchange) ?? [])),
];

/** Returns a function that reports whether an event matches any of the bindings. */
export function bindingsMatcher(bindings: readonly Binding[]): (event: LoggedEvent) => boolean {
  const patterns = new Map<string, ((words: readonly string[]) => boolean)[]>();
  for (const { exchange, routingKeyPattern } of bindings)
    patterns.set(exchange, [...(patterns.get(exchange) ?? []), topicMatcher(routingKeyPattern)]);
  return ({ exchange, routingKey, routes }) => {
    const wanted = patterns.get(exchange);
    if (!wanted) return false;
    const keys = [keyWords(routingKey), ...routes.map((route) => ["route", ...keyWords(route)])];
    return wanted.some((matches) => keys.some(matches));
  };
}

// oxlint-disable-next-line messages/next-step -- the callers of this function state what would be right
const invalid = (path: string, problem: string): ApiError => new ApiError("InputError", `${path} ${problem}`);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (err) {
    throw invalid("bindings", `is not JSON: ${(err as Error).message}. It should look like ${example}`);
  }
}

function members(path: string, value: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(
      path,
      `must be an object with ${known.join(" and ")}. The whole should look like ${example}`,
    );
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const meant = didYouMean(key, known);
    throw invalid(
      `${path}.${key}`,
      `is not known: ${meant === undefined ? `use ${known.join(" and ")}` : `did you mean ${meant}?`}`,
    );
  }
  for (const key of known) if (!(key in value)) throw invalid(`${path}.${key}`, "is missing");
  // Neither null nor an array, as was just checked.
  return value as Record<string, unknown>;
}

function shortString(path: string, value: unknown, min: number): string {
  if (typeof value !== "string") throw invalid(path, "must be a string");
  const bytes = Buffer.byteLength(value);
  if (bytes < min || bytes > maxBytes)
    throw invalid(path, `must have ${min} to ${maxBytes} bytes, not ${bytes}`);
  return value;
}

/** Checks an exchange. Those of other systems are accepted, but ours must exist: nothing would ever match a typo. */
function checkExchange(path: string, exchange: string): void {
  if (!ownPrefixes.some((prefix) => exchange.startsWith(prefix)) || ownExchanges.has(exchange)) return;
  const meant = didYouMean(exchange, [...ownExchanges.keys()]);
  throw invalid(
    path,
    `is not an exchange of this server${meant === undefined ? "" : `: did you mean ${meant}?`}`,
  );
}
