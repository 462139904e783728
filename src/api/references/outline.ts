// A schema as the rows of a table: one row for each member, nested members by their path.
import { SLUGID_PATTERN } from "../../lib/slugid.ts";
import type { Named } from "../schema.ts";

/** A member of an object, or the heading of one of the forms of an object. */
export type OutlineRow = OutlineMember | { readonly form: string };

interface OutlineMember {
  /** For example `status.runs[].state`. */
  readonly path: string;
  /** For example `string` or `list of object`. */
  readonly type: string;
  /** The separately published schema of the member, or of its items, if there is one. */
  readonly link: Named | undefined;
  readonly required: boolean;
  /** Limits and defaults, as Markdown. */
  readonly notes: readonly string[];
  /** Markdown. */
  readonly description: string;
}

/** The JSON Schema keywords that the contract uses and that matter to readers. */
interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

/** Returns the members of `schema` in order. Parts that are `published` separately are not expanded. */
export function outline(schema: Named, published: readonly Named[]): OutlineRow[] {
  const linkTo = (part: object): Named | undefined => published.find((other) => other.schema === part);

  function rowsOf(path: string, part: JsonSchema): OutlineRow[] {
    if (part.oneOf)
      return part.oneOf.flatMap((form, i) => [{ form: formHeading(form, i) }, ...rowsOf(path, form)]);
    if (part.type === "array" && part.items) return linkTo(part.items) ? [] : rowsOf(`${path}[]`, part.items);
    const members = Object.entries(part.properties ?? {});
    return [
      ...members.flatMap(([name, member]) => rowsOfMember(path, name, member, part.required?.includes(name))),
      ...(typeof part.additionalProperties === "object"
        ? rowsOfMember(path, "*", part.additionalProperties, false)
        : []),
    ];
  }

  function rowsOfMember(path: string, name: string, member: JsonSchema, required = false): OutlineRow[] {
    const at = path === "" ? name : `${path}.${name}`;
    const link = linkTo(member.items ?? member);
    const description = member.description ?? "";
    const row = { path: at, type: typeOf(member), link, required, notes: notesOf(member), description };
    return link ? [row] : [row, ...rowsOf(at, member)];
  }

  return rowsOf("", schema.schema);
}

/** Returns the heading of a form, which names the member that distinguishes it from the others. */
function formHeading(form: JsonSchema, index: number): string {
  for (const [name, member] of Object.entries(form.properties ?? {})) {
    const value = onlyValue(member);
    if (value !== undefined) return `where \`${name}\` is ${code(value)}`;
  }
  return `form ${index + 1}`;
}

const onlyValue = (schema: JsonSchema): unknown =>
  schema.const ?? (schema.enum?.length === 1 ? schema.enum[0] : undefined);

function typeOf(schema: JsonSchema): string {
  if (schema.oneOf) return "one of several forms";
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "anything"}`;
  if (schema.format === "date-time") return "time";
  if (schema.format === "uri") return "URL";
  if (schema.pattern === SLUGID_PATTERN) return "slugid";
  return schema.type ?? (onlyValue(schema) === undefined ? "anything" : typeof onlyValue(schema));
}

function notesOf(schema: JsonSchema): string[] {
  const { minimum, maximum, minLength, maxLength, maxItems, pattern } = schema;
  const values = schema.const === undefined ? schema.enum : [schema.const];
  return [
    ...(values ? [values.map(code).join(", ")] : []),
    ...range(minimum, maximum, ""),
    ...range(minLength, maxLength, " characters"),
    ...range(undefined, maxItems, " items"),
    ...(pattern === undefined || pattern === SLUGID_PATTERN ? [] : [`matches ${code(pattern)}`]),
    ...(schema.items ? notesOf(schema.items) : []),
    ...(schema.default === undefined ? [] : [`default ${code(schema.default)}`]),
  ];
}

function range(least: number | undefined, most: number | undefined, unit: string): string[] {
  if (least === undefined) return most === undefined ? [] : [`at most ${most}${unit}`];
  return [most === undefined ? `at least ${least}${unit}` : `${least} to ${most}${unit}`];
}

const code = (value: unknown): string =>
  `\`${typeof value === "string" && value !== "" ? value : JSON.stringify(value)}\``;
