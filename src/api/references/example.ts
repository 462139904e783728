// An example of a value from its schema, the same on each call.
import { Check } from "typebox/value";
import { InternalError } from "../../lib/internal-error.ts";
import { exampleValues } from "./example-values.ts";

/** The JSON Schema keywords of the contract that determine an example. */
export interface ExampleSchema {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, ExampleSchema>>;
  readonly required?: readonly string[];
  readonly items?: ExampleSchema;
  readonly oneOf?: readonly ExampleSchema[];
  readonly minimum?: number;
}

const TIME = "2026-01-31T12:00:00.000Z";

/**
 * Returns an example of a member called `name`: the first of the schema's `examples`, its constant, the value of that name in
 * `exampleValues` if the schema accepts it, or else one composed of the examples of its parts. Members with a default are left
 * out unless they are required, and so are tokens of further pages. Throws for text without any of these.
 */
export function exampleOf(schema: ExampleSchema, name = ""): unknown {
  if (schema.examples) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  const value = exampleValues[name];
  if (value !== undefined && Check(schema, value)) return value;
  const [first] = schema.oneOf ?? [];
  if (first) return exampleOf(first, name);
  return schema.enum?.[0] ?? exampleOfType(schema, name);
}

function exampleOfType(schema: ExampleSchema, name: string): unknown {
  switch (schema.type) {
    case "array":
      return schema.items ? [exampleOf(schema.items, name)] : [];
    case "object":
      return exampleOfObject(schema);
    case "integer":
    case "number":
      return schema.default ?? Math.max(schema.minimum ?? 1, 1);
    case "boolean":
      return schema.default ?? false;
    default:
      if (schema.format === "date-time") return TIME;
      throw new InternalError(
        `There is no example of ${name}: add one to example-values.ts, or \`examples\` to the schema`,
      );
  }
}

function exampleOfObject({ properties = {}, required = [] }: ExampleSchema): object {
  const shown = Object.entries(properties).filter(
    ([name, member]) =>
      required.includes(name) ||
      member.examples !== undefined ||
      (member.default === undefined && name !== "continuationToken"),
  );
  return Object.fromEntries(shown.map(([name, member]) => [name, exampleOf(member, name)]));
}
