// Validates parameters, query and body; error messages name the place.
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import type { TSchema } from "typebox";
import { ApiError } from "../../../lib/errors.ts";
import { memberPath } from "../../../lib/member-path.ts";
import type { Endpoint } from "../../../api/endpoint.ts";

/** For longer bodies only the first error is reported: listing millions takes 16 s and 2 GB for one request. */
const MAX_LENGTH_FOR_ALL = 50_000;
/** The maximum number of reported errors. */
const MAX_REPORTED = 100;

/** Checks a body of `length` characters: fills in its defaults, or throws `InputValidationError`. */
export type BodyCheck = (body: unknown, length: number) => void;

/** Returns a check of bodies; errors include `schemaUrl`, so that people can look the schema up. */
export function bodyCheck(schema: TSchema, schemaUrl: () => string): BodyCheck {
  const findErrors = errorFinder(schema);
  return (body, length) => {
    const errors = findErrors(body, () => length);
    if (errors.length === 0) return;
    const lines = errors.slice(0, MAX_REPORTED).map((error) => `  * ${describe(error)}`);
    if (errors.length > MAX_REPORTED) lines.push(`  * … and ${errors.length - MAX_REPORTED} more`);
    throw new ApiError(
      "InputValidationError",
      `\nSchema Validation Failed!\nRejecting Schema: ${schemaUrl()}\nErrors:\n${lines.join("\n")}`,
    );
  };
}

/**
 * Returns a function that fills in the defaults of a valid value, and returns every error of an invalid one, or only
 * the first of a long one.
 *
 * Schemas are compiled on first use: those of all bodies take 75 to 150 ms, a third of the start of a server.
 */
function errorFinder(schema: TSchema): (value: unknown, length: () => number) => readonly ErrorObject[] {
  let isValid: ValidateFunction | undefined;
  let validate: ValidateFunction | undefined;
  return (value, length) => {
    isValid ??= firstError.compile(schema);
    if (isValid(value)) return [];
    const first = isValid.errors ?? [];
    if (length() > MAX_LENGTH_FOR_ALL) return first;
    validate ??= allErrors.compile(schema);
    validate(value);
    return validate.errors ?? first;
  };
}

/** Fills in defaults; neither coerces nor removes anything. */
function createAjv(options: { readonly allErrors: boolean }): Ajv {
  const ajv = new Ajv({
    ...options,
    useDefaults: true,
    strict: true,
    // In a `oneOf` over shapes `storageType` decides; strict mode would want each shape to repeat types and members.
    strictTypes: false,
    strictRequired: false,
  });
  addFormats.default(ajv);
  return ajv.addFormat("date-time", { type: "string", validate: isStorableTime });
}

// One of each in a process. They cache what they compiled by the identity of the schema, so servers that share a
// process, as in the tests, compile each schema once.
const firstError = createAjv({ allErrors: false });
const allErrors = createAjv({ allErrors: true });

// The schema is our own, so the metaschema need not be compiled for it.
const isDateTime = addFormats
  .default(new Ajv({ meta: false, validateSchema: false }))
  .compile({ type: "string", format: "date-time" });
const [FIRST_TIME, LAST_TIME] = [Date.parse("0001-01-01T00:00:00Z"), Date.parse("9999-12-31T23:59:59.999Z")];

/**
 * RFC 3339 allows more times than can be stored: JavaScript rejects leap seconds, PostgreSQL the year 0, and an offset
 * can move a time before or after the years of four digits.
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

/** Where a value does not match its schema (`.task.routes[2]`; empty for the value itself), and how. */
export interface SchemaFault {
  readonly path: string;
  readonly message: string;
}

/** Returns a check of the elements of a long list: it fills in defaults, and returns every fault. */
export function elementCheck(schema: TSchema): (element: unknown) => readonly SchemaFault[] {
  const findErrors = errorFinder(schema);
  return (element) =>
    findErrors(element, () => JSON.stringify(element).length)
      .slice(0, MAX_REPORTED)
      .map((error) => ({ path: memberPath(error.instancePath), message: sentence(error) }));
}

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

/** Checks the query: declared keys only, each once. `bewit` is part of authentication and always allowed. */
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
