// One task of a graph file that stands for many: `for` names variables and their values.

/** The values of each variable. */
export type Variables = Readonly<Record<string, readonly string[]>>;

const MAX_VALUES = 10_000;

/** Reads `for`: lists, or ranges such as `1..20`. Answers what is wrong as text. */
export function readVariables(given: unknown): Variables | string {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return "for has a variable and its values, such as {shard: 1..20} or {os: [linux, mac]}";
  const variables: [name: string, values: readonly string[]][] = [];
  for (const [name, values] of Object.entries(given)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) return `for.${name}: variables are named with letters, digits and _`;
    const read = Array.isArray(values) ? listOf(values) : rangeOf(values);
    if (read === undefined || read.length === 0)
      return `for.${name}: write a range such as 1..20, or a list of texts and numbers`;
    if (read.length > MAX_VALUES)
      return `for.${name}: these are ${read.length} values, and ${MAX_VALUES} is the most`;
    variables.push([name, read]);
  }
  return Object.fromEntries(variables);
}

function listOf(values: readonly unknown[]): string[] | undefined {
  const texts = values.filter((value) => ["string", "number", "boolean"].includes(typeof value));
  return texts.length === values.length ? texts.map(String) : undefined;
}

function rangeOf(value: unknown): string[] | undefined {
  const [, from, to] = /^(\d{1,9})\.\.(\d{1,9})$/.exec(String(value)) ?? [];
  if (from === undefined || to === undefined || Number(from) > Number(to)) return undefined;
  const length = Math.min(Number(to) - Number(from) + 1, MAX_VALUES + 1);
  return Array.from({ length }, (_, i) => String(Number(from) + i));
}

/** Every choice of one value for each variable, the last one changing fastest; one empty choice where there are none. */
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

/** How many combinations there are. */
export const countCombinations = (variables: Variables): number =>
  Object.values(variables).reduce((product, values) => product * values.length, 1);

/** A copy in which `{{name}}` stands for the value; what is no variable is left, since commands may use braces, too. */
export function fill(value: unknown, chosen: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string")
    return value.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (hole, name: string) =>
      Object.hasOwn(chosen, name) ? (chosen[name] ?? hole) : hole,
    );
  if (Array.isArray(value)) return value.map((element: unknown) => fill(element, chosen));
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(member, chosen)]));
}
