// Checks of parameters, query and body, with messages that name the place.
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import type { TSchema } from "typebox";
import { ApiError } from "../../../lib/errors.ts";
import type { Endpoint } from "../../../api/endpoint.ts";
import type { Named } from "../../../api/schema.ts";

/** Longer bodies are told their first error only: a list of millions of them takes 16 s and 2 GB for one request. */
const MAX_LENGTH_FOR_ALL = 50_000;
/** Errors that are told; more help nobody. */
const MAX_TOLD = 100;

/** Checks a body of `length` characters: fills in its defaults, or throws `InputValidationError`. */
export type BodyCheck = (body: unknown, length: number) => void;

/** Answers a compiler of body checks. `schemaUrl` is told with the errors, so that people can look the schema up. */
export function bodyChecks(): (of: Named, schemaUrl: () => string) => BodyCheck {
  const first = createAjv({ allErrors: false });
  const all = createAjv({ allErrors: true });
  return ({ schema }, schemaUrl) => {
    const isValid = first.compile(schema);
    // Compiled when a body is first refused.
    let findErrors: ValidateFunction | undefined;
    return (body, length) => {
      if (isValid(body)) return;
      let errors = isValid.errors ?? [];
      if (length <= MAX_LENGTH_FOR_ALL) {
        findErrors ??= all.compile(schema);
        findErrors(body);
        errors = findErrors.errors ?? errors;
      }
      const lines = errors.slice(0, MAX_TOLD).map((error) => `  * ${describe(error)}`);
      if (errors.length > MAX_TOLD) lines.push(`  * … and ${errors.length - MAX_TOLD} more`);
      throw new ApiError(
        "InputValidationError",
        `\nSchema Validation Failed!\nRejecting Schema: ${schemaUrl()}\nErrors:\n${lines.join("\n")}`,
      );
    };
  };
}

/** Fills in defaults, coerces nothing, removes nothing. */
function createAjv(options: { readonly allErrors: boolean }): Ajv {
  const ajv = new Ajv({
    ...options,
    useDefaults: true,
    strict: true,
    // `oneOf` over shapes tells members apart by `storageType`; strict mode only wants to hear it is meant.
    strictTypes: false,
    strictRequired: false,
  });
  addFormats.default(ajv);
  return ajv.addFormat("date-time", { type: "string", validate: isStorableTime });
}

const isDateTime = addFormats.default(new Ajv()).compile({ type: "string", format: "date-time" });
const [FIRST_TIME, LAST_TIME] = [Date.parse("0001-01-01T00:00:00Z"), Date.parse("9999-12-31T23:59:59.999Z")];

/**
 * RFC 3339 writes more times than there are here: leap seconds, which JavaScript does not know, the year 0, which
 * PostgreSQL does not, and by their offset those before and after the years of four digits.
 */
function isStorableTime(text: string): boolean {
  const time = Date.parse(text);
  return isDateTime(text) && time >= FIRST_TIME && time <= LAST_TIME;
}

const describe = (error: ErrorObject): string => `data${error.instancePath} ${sentence(error)}`;

function sentence(error: ErrorObject): string {
  const extra =
    error.keyword === "additionalProperties"
      ? `: ${JSON.stringify(error.params["additionalProperty"])}`
      : error.keyword === "enum"
        ? `: ${JSON.stringify(error.params["allowedValues"])}`
        : error.params["format"] === "date-time"
          ? ", such as 2026-01-31T12:00:00.000Z, from the year 1 to 9999 in UTC"
          : "";
  return `${error.message ?? "is not valid"}${extra}`;
}

/** Where a value does not fit its schema (`.task.routes[2]`; empty for the value itself), and how. */
export interface SchemaFault {
  readonly path: string;
  readonly message: string;
}

/** A check of the elements of a long list: fills in defaults, and answers every fault. */
export function elementCheck(schema: TSchema): (element: unknown) => readonly SchemaFault[] {
  const isValid = createAjv({ allErrors: false }).compile(schema);
  let findErrors: ValidateFunction | undefined;
  return (element) => {
    if (isValid(element)) return [];
    let errors = isValid.errors ?? [];
    if (JSON.stringify(element).length <= MAX_LENGTH_FOR_ALL) {
      findErrors ??= createAjv({ allErrors: true }).compile(schema);
      findErrors(element);
      errors = findErrors.errors ?? errors;
    }
    return errors
      .slice(0, MAX_TOLD)
      .map((error) => ({ path: memberPath(error.instancePath), message: sentence(error) }));
  };
}

/** A JSON pointer as people write it. */
const memberPath = (pointer: string): string =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`))
    .join("");

/** Checks the parameters of the path against the patterns of the method. */
export function checkParams(of: Endpoint, params: Readonly<Record<string, string>>): void {
  const problems: string[] = [];
  for (const [name, pattern] of Object.entries(of.params ?? {})) {
    const value = params[name] ?? "";
    if (!pattern.test(value))
      problems.push(
        `URL parameter '${name}' given as '${value}' must match regular expression: '${pattern.toString()}'`,
      );
  }
  if (problems.length > 0)
    throw new ApiError("InvalidRequestArguments", `Invalid URL patterns:\n${problems.join("\n")}`);
}

/** Checks the query: declared keys only, each once. `bewit` is authentication and always tolerated. */
export function checkQuery(of: Endpoint, query: Readonly<Record<string, unknown>>): void {
  const problems: string[] = [];
  for (const [key, value] of Object.entries(query)) {
    if (key === "bewit") continue;
    const pattern = of.query?.[key];
    if (!pattern) problems.push(`Query-string parameter: ${key} is not supported!`);
    else if (typeof value !== "string") problems.push(`Query-string parameter: ${key} must be a string!`);
    else if (!pattern.test(value))
      problems.push(
        `Query-string parameter: ${key} given as '${value}' must match regular expression: '${pattern.toString()}'`,
      );
  }
  if (problems.length > 0) throw new ApiError("InvalidRequestArguments", problems.join("\n"));
}
