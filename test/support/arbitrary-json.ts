// Random values for a JSON Schema: valid ones, and ones that are almost valid.
import fc from "fast-check";
import { anyText } from "./arbitrary-text.ts";
import type { TSchema } from "typebox";

/** The parts of JSON Schema that the contract uses. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Valid values of a schema. Times are close to now. */
export const valid = (schema: TSchema): fc.Arbitrary<unknown> => valueOf(schema);

function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  const { oneOf, properties = {}, required = [], items = {} } = schema;
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (oneOf) return fc.oneof(...oneOf.map(valueOf));
  switch (schema.type) {
    case "string":
      return text(schema);
    case "integer":
      return fc.integer({ min: schema.minimum ?? -10, max: schema.maximum ?? 10_000 });
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case "boolean":
      return fc.boolean();
    case "array":
      return schema.uniqueItems === true
        ? fc.uniqueArray(valueOf(items), { maxLength: 4 })
        : fc.array(valueOf(items), { maxLength: 4 });
    case "object": {
      const members = Object.entries(properties).map(([name, of]) => [name, valueOf(of)] as const);
      if (members.length === 0) return fc.dictionary(strange, strange, { maxKeys: 3 });
      return fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
    }
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function text({ pattern, format, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === "date-time") {
    const minute = 60_000;
    const near = fc
      .constantFrom(-20, 0, 0, 0, 0, 1, 5, 60, 24 * 60, 6 * 24 * 60)
      .map((minutes) => new Date(Date.now() + minutes * minute).toISOString());
    return fc.oneof({ weight: 9, arbitrary: near }, strangeTime);
  }
  if (pattern !== undefined)
    return fc
      .stringMatching(new RegExp(pattern))
      .map((all) => all.slice(0, maxLength))
      .filter((all) => all.length >= minLength);
  return fc.string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength, 40) });
}

/** Times that JavaScript or PostgreSQL cannot parse, most of them valid by RFC 3339. */
const strangeTime = fc.constantFrom(
  "9999-12-31T23:59:59-23:59",
  "9999-12-31T23:59:59.999999Z",
  "0000-01-01T00:00:00Z",
  "0001-01-01T00:00:00+23:59",
  "2016-12-31T23:59:60Z",
  "2026-01-01t00:00:00.123456789z",
  "2026-02-30T00:00:00Z",
  "2026-01-01",
);

/** Strings that have caused bugs before. */
const strange: fc.Arbitrary<string> = fc.oneof(
  anyText({ maxLength: 10 }),
  fc.constantFrom(
    "",
    "\0",
    "\ud800",
    "__proto__",
    "é".repeat(200),
    "x".repeat(70_000),
    "1\n",
    "%00",
    "../..",
    "';--",
  ),
);

/** Values that replace any other value. */
const intruder: fc.Arbitrary<unknown> = fc.oneof(
  strange,
  fc.constantFrom<unknown>(null, true, -1, 0, 1.5, 1e300, 2 ** 31, 2 ** 53, [], {}, [[]], [null], { a: 1 }),
  strangeTime,
);

/** Values with one change: another value, an additional member, or a missing one. */
export const almostValid = (values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(values, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), intruder, strange)
    .map(([value, path, by, name]) => changed(value, path, by, name));

function changed(value: unknown, [step = 0, ...path]: readonly number[], by: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return by;
  const entries = Object.entries(value);
  const at = step % (entries.length + 2);
  if (at === entries.length) return by;
  if (at === entries.length + 1) return Array.isArray(value) ? [...value, by] : withMember(value, name, by);
  const [key = "", element] = entries[at] ?? [];
  if (path.length === 0 && !Array.isArray(value))
    return Object.fromEntries(entries.filter(([k]) => k !== key));
  const inner = path.length === 0 ? by : changed(element, path, by, name);
  if (Array.isArray(value)) return value.map((old: unknown, i) => (i === at ? inner : old));
  return withMember(value, key, inner);
}

/** Sets an own member, whatever its name, such as `__proto__`. */
const withMember = (value: object, name: string, member: unknown): unknown =>
  Object.fromEntries([...Object.entries(value), [name, member]]);
