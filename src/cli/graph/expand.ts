// Expands a task of a graph file with `for` into one task per combination of variable values.

import { textOf, WrittenScalar } from "../written-scalar.ts";
import { isMembers, textsOf } from "../members.ts";

/** The values of each variable. */
export type Variables = Readonly<Record<string, readonly string[]>>;

const MAX_VALUES = 10_000;

/** Parses `for`, whose values are lists, or ranges such as `1..20`. Returns the problem as text if it is invalid. */
export function readVariables(given: unknown): Variables | string {
  if (!isMembers(given))
    return "for must be an object of variables and their values, such as {shard: 1..20} or {os: [linux, mac]}";
  const variables: [name: string, values: readonly string[]][] = [];
  for (const [name, values] of Object.entries(given)) {
    if (!/^[A-Za-z_]\w*$/.test(name))
      return `for.${name}: variable names must consist of letters, digits and _, and not start with a digit`;
    const read = Array.isArray(values) ? textsOf(values) : rangeOf(values);
    if (read === undefined || read.length === 0)
      return `for.${name} must be a range such as 1..20, or a list of strings and numbers`;
    if (read.length > MAX_VALUES)
      return `for.${name} has ${read.length} values; the maximum is ${MAX_VALUES}`;
    variables.push([name, read]);
  }
  return Object.fromEntries(variables);
}

function rangeOf(value: unknown): string[] | undefined {
  const [, from, to] = /^(\d{1,9})\.\.(\d{1,9})$/.exec(textOf(value) ?? "") ?? [];
  if (from === undefined || to === undefined || Number(from) > Number(to)) return undefined;
  const length = Math.min(Number(to) - Number(from) + 1, MAX_VALUES + 1);
  return Array.from({ length }, (_, i) => String(Number(from) + i));
}

/** Yields every combination of values; the last variable changes fastest. Without variables, yields one empty one. */
export function* combinations(
  variables: Variables,
): Generator<Readonly<Record<string, string>>, void, undefined> {
  const [[name, values] = [], ...rest] = Object.entries(variables);
  if (name === undefined) {
    yield {};
    return;
  }
  for (const value of values ?? [])
    for (const others of combinations(Object.fromEntries(rest))) yield { [name]: value, ...others };
}

/** Returns the number of combinations. */
export const countCombinations = (variables: Variables): number =>
  Object.values(variables).reduce((product, values) => product * values.length, 1);

/** Returns a copy with each `{{name}}` replaced by its value. Other braces are kept, since commands may use them. */
export function substitute(value: unknown, chosen: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string")
    return value.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (hole, name: string) =>
      Object.hasOwn(chosen, name) ? (chosen[name] ?? hole) : hole,
    );
  if (Array.isArray(value)) return value.map((element: unknown) => substitute(element, chosen));
  if (typeof value !== "object" || value === null || value instanceof WrittenScalar) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, substitute(member, chosen)]));
}
