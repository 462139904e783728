// Checks loaded values against their schema and describes the problems in words.
import type { TLocalizedValidationError } from "typebox/error";
import Value, { Pointer } from "typebox/value";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { memberPath } from "../../lib/member-path.ts";
import type { CatalogEntry } from "./catalog.ts";
import { formatSetting, type Setting, settingOf } from "../../lib/setting.ts";

/** A loaded value, or the problems of its source. */
export type ReadResult = { readonly value: unknown } | { readonly problems: readonly string[] };

/** Checks a loaded value, with durations in milliseconds and sizes in bytes. */
export function checkLoaded({ schema, setting }: CatalogEntry, value: unknown): ReadResult {
  const errors = Value.Errors(schema, value);
  if (errors.length === 0) return { value };
  const problems = errors.flatMap((error) => describeError(error, errors, setting, schema, value));
  return { problems: [...new Set(problems)] };
}

const typeInWords: Readonly<Record<string, string>> = {
  integer: "a whole number",
  boolean: "true or false",
  string: "text",
  array: "a list",
  object: "an object",
};

function describeError(
  error: TLocalizedValidationError,
  all: readonly TLocalizedValidationError[],
  setting: Setting,
  schema: object,
  value: unknown,
): string[] {
  const where = error.instancePath === "" ? "" : `${memberPath(error.instancePath).replace(/^\./, "")} `;
  // A value of the wrong type also fails other keywords. Only the type is reported.
  const wrongType = all.some((e) => e.keyword === "type" && e.instancePath === error.instancePath);
  if (wrongType && error.keyword !== "type") return [];
  switch (error.keyword) {
    case "type": {
      const type = String(error.params.type);
      const quoted = typeof value === "string" && where === "" && /^(\d+|true|false)$/.test(value);
      return [`${where}must be ${typeInWords[type] ?? type}${quoted ? ": remove the quotes" : ""}`];
    }
    case "minimum":
      return [`must be at least ${formatSetting(setting, Number(error.params.limit))}`];
    case "maximum":
      return [`must be at most ${formatSetting(setting, Number(error.params.limit))}`];
    case "minLength":
      return [`${where}must not be empty`];
    case "pattern":
      return [
        `${where}must be ${settingOf(schemaAt(schema, error.schemaPath) ?? {}).expected ?? `text that matches ${String(error.params.pattern)}`}`,
      ];
    case "enum":
      return [`must be one of ${error.params.allowedValues.join(", ")}`];
    case "required":
      return error.params.requiredProperties.map((name) => `${where}needs the member "${name}"`);
    case "additionalProperties":
      return error.params.additionalProperties.map((name) => {
        const known = schemaAt(schema, `${error.schemaPath}/properties`);
        const meant = didYouMean(name, Object.keys(known ?? {}));
        return `${where}has the unknown member "${name}"${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
      });
    // An unknown member also fails the schema `false`. It is reported above.
    case "boolean":
      return [];
    default:
      return [`${where}${error.message}`];
  }
}

/** Returns the part of a schema at a path such as `#/items/properties/clientId`. */
function schemaAt(schema: object, path: string): object | undefined {
  const part: unknown = path === "#" ? schema : Pointer.Get(schema, path.slice(1));
  return typeof part === "object" && part !== null ? part : undefined;
}
