// Checks values against JSON schemas, and fills in defaults.
import { Ajv, type ErrorObject } from "ajv";
import addFormats from "ajv-formats";
import type { TSchema } from "typebox";
import { errorFinder as finderOf, type Validators } from "../../lib/find-errors.ts";
import { memberPath } from "../../lib/member-path.ts";

/** The maximum number of reported errors. */
export const MAX_REPORTED = 100;

/** Returns the errors of a value, see `find-errors.ts`, and fills in the defaults of a valid one. */
export const errorFinder = (schema: TSchema): ReturnType<typeof finderOf> => finderOf(validators, schema);

/** Fills in defaults; neither coerces nor removes anything. */
function createAjv(options: { readonly allErrors: boolean }): Ajv {
  const ajv = new Ajv({
    ...options,
    useDefaults: true,
    strict: true,
    // `storageType` selects the shape in a `oneOf`. Strict mode would require each shape to repeat types and members.
    strictTypes: false,
    strictRequired: false,
  });
  addFormats.default(ajv);
  return ajv.addFormat("date-time", { type: "string", validate: isStorableTime });
}

// One of each in a process. They cache what they compiled by the identity of the schema, so servers that share a
// process, as in the tests, compile each schema once.
const validators: Validators = {
  firstError: createAjv({ allErrors: false }),
  allErrors: createAjv({ allErrors: true }),
};

// The schema is our own, so the metaschema need not be compiled for it.
const isDateTime = addFormats
  .default(new Ajv({ meta: false, validateSchema: false }))
  .compile({ type: "string", format: "date-time" });
const [FIRST_TIME, LAST_TIME] = [Date.parse("0001-01-01T00:00:00Z"), Date.parse("9999-12-31T23:59:59.999Z")];

const longOffset = /[+-](1[6-9]|2[0-9]):?[0-9]{2}$/;

/**
 * RFC 3339 allows more times than can be stored: JavaScript rejects leap seconds, PostgreSQL the year 0 and offsets of 16
 * hours and more, and an offset can move a time before or after the years of four digits.
 */
function isStorableTime(text: string): boolean {
  const time = Date.parse(text);
  return isDateTime(text) && !longOffset.test(text) && time >= FIRST_TIME && time <= LAST_TIME;
}

/** Describes an error, without its path. */
export function describeError(error: ErrorObject): string {
  const extra =
    error.keyword === "additionalProperties"
      ? `: ${JSON.stringify(error.params["additionalProperty"])}`
      : error.keyword === "enum"
        ? `: ${JSON.stringify(error.params["allowedValues"])}`
        : error.params["format"] === "date-time"
          ? ", such as 2026-01-31T12:00:00.000Z, from the year 1 to 9999 in UTC, with an offset below 16 hours"
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
      .map((error) => ({ path: memberPath(error.instancePath), message: describeError(error) }));
}
