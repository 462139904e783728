// Scalars of YAML and JSON files whose value is not a string, with their text. YAML parses `3.10` as the number 3.1, and
// `1234567e8` as 123456700000000: where a string is needed, the author means the text.

/** A number, boolean or null, or a time of YAML 1.1, as it is written in a file. */
export class WrittenScalar {
  readonly value: unknown;
  readonly text: string;
  constructor(value: unknown, text: string) {
    this.value = value;
    this.text = text;
  }
}

/** Members of JSON Schema that decide whether a string is needed. */
interface Schema {
  readonly format?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, object>>;
  readonly patternProperties?: Readonly<Record<string, object>>;
  readonly additionalProperties?: object | boolean;
  readonly items?: object;
}

/** Receives the place of a number that JSON cannot contain as it is written. */
export type OnChanged = (path: readonly (string | number)[], text: string) => void;

/** Returns the value with strings where the JSON Schema requires them, and the parsed values elsewhere. */
export function plainValue(
  value: unknown,
  schema: object | undefined,
  onChanged: OnChanged,
  path: readonly (string | number)[] = [],
): unknown {
  const wanted: Schema = schema ?? {};
  if (value instanceof WrittenScalar) {
    if (value.value instanceof Date)
      return wanted.format === "date-time" ? value.value.toISOString() : value.text;
    if (value.value === null || !needsString(wanted)) {
      if (typeof value.value === "number" && !isKept(value.value, value.text))
        onChanged(path, changedText(value.value, value.text));
      return value.value;
    }
    return value.text;
  }
  if (Array.isArray(value))
    return value.map((element: unknown, i) => plainValue(element, wanted.items, onChanged, [...path, i]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      plainValue(member, memberSchema(wanted, key), onChanged, [...path, key]),
    ]),
  );
}

/** Returns the text of a string or of a scalar other than null. Returns undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof WrittenScalar && value.value !== null ? value.text : undefined;
}

const needsString = ({ type }: Schema): boolean =>
  type === "string" || (Array.isArray(type) && type.includes("string"));

function memberSchema(
  { properties = {}, patternProperties = {}, additionalProperties }: Schema,
  key: string,
): object | undefined {
  if (Object.hasOwn(properties, key)) return properties[key];
  const [, byPattern] =
    Object.entries(patternProperties).find(([pattern]) => new RegExp(pattern, "u").test(key)) ?? [];
  return byPattern ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
}

/** Reports whether a number has all digits of its text. `3.10` has, 9007199254740993 has not. */
function isKept(value: number, text: string): boolean {
  if (!Number.isFinite(value)) return false;
  // Small integers may have been written in another base.
  return (value !== 0 && Number.isSafeInteger(value)) || digits(String(value)) === digits(text);
}

/** Returns the significant digits. */
const digits = (text: string): string =>
  text
    .replace(/e.*/is, "")
    .replaceAll(/\D/g, "")
    .replace(/^0+/, "")
    .replace(/(?<!0)0+$/, "");

const changedText = (value: number, text: string): string =>
  Number.isFinite(value)
    ? `${text} has more digits than a number keeps, and would become ${value}; put it in quotes`
    : `${text} is not a number in JSON; put it in quotes`;
