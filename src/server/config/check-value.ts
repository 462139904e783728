// Checks loaded values against their schema and says in words what is wrong.
import type { TLocalizedValidationError } from "typebox/error";
import Value, { Pointer } from "typebox/value";
import { didYouMean } from "../../lib/did-you-mean.ts";
import type { CatalogueEntry } from "./catalogue.ts";
import { type Setting, settingOf, written } from "../../lib/setting.ts";

/** A loaded value, or the problems with what was written. */
export type Read = { readonly value: unknown } | { readonly problems: readonly string[] };

/** Checks a value that is already what the server uses: durations in milliseconds, sizes in bytes. */
export function checkLoaded({ schema, setting }: CatalogueEntry, value: unknown): Read {
  const errors = Value.Errors(schema, value);
  if (errors.length === 0) return { value };
  const problems = errors.flatMap((error) => tell(error, errors, setting, schema, value));
  return { problems: [...new Set(problems)] };
}

const typeInWords: Readonly<Record<string, string>> = {
  integer: "a whole number",
  boolean: "true or false",
  string: "text",
  array: "a list",
  object: "an object",
};

function tell(
  error: TLocalizedValidationError,
  all: readonly TLocalizedValidationError[],
  setting: Setting,
  schema: object,
  value: unknown,
): string[] {
  const where = error.instancePath === "" ? "" : `${inBrackets(error.instancePath)} `;
  // A value of the wrong type fails other keywords as well; only the type is worth telling.
  const mistyped = all.some((e) => e.keyword === "type" && e.instancePath === error.instancePath);
  if (mistyped && error.keyword !== "type") return [];
  switch (error.keyword) {
    case "type": {
      const type = String(error.params.type);
      const quoted = typeof value === "string" && where === "" && /^(\d+|true|false)$/.test(value);
      return [`${where}must be ${typeInWords[type] ?? type}${quoted ? ": take the quotes away" : ""}`];
    }
    case "minimum":
      return [`must be at least ${written(setting, Number(error.params.limit))}`];
    case "maximum":
      return [`must be at most ${written(setting, Number(error.params.limit))}`];
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
    // An unknown member fails `false` as well as additionalProperties: told above.
    case "boolean":
      return [];
    default:
      return [`${where}${error.message}`];
  }
}

/** `/0/clientId` as `[0].clientId`. */
function inBrackets(pointer: string): string {
  const path = pointer.slice(1).split("/");
  return path.map((part, i) => (/^\d+$/.test(part) ? `[${part}]` : `${i === 0 ? "" : "."}${part}`)).join("");
}

/** The part of a schema that a path such as `#/items/properties/clientId` names. */
function schemaAt(schema: object, path: string): object | undefined {
  const part: unknown = path === "#" ? schema : Pointer.Get(schema, path.slice(1));
  return typeof part === "object" && part !== null ? part : undefined;
}
