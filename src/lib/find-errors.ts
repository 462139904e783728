// Finds what is wrong with a value, by JSON Schema.
import type { Ajv, ErrorObject, ValidateFunction } from "ajv";

/** Two validators with the same keywords and formats, of which one stops at the first error. */
export interface Validators {
  readonly firstError: Ajv;
  readonly allErrors: Ajv;
}

/** For longer texts only the first error is reported: listing millions takes 16 s and 2 GB for one request. */
const MAX_LENGTH_FOR_ALL = 50_000;

/**
 * Returns a function that fills in the defaults of a valid value, and returns every error of an invalid one, or only
 * the first of a long one. `length` returns the length of the value as JSON, and is called only for an invalid one.
 *
 * Schemas are compiled on first use: those of all bodies take 75 to 150 ms, a third of the start of a server.
 */
export function errorFinder(
  { firstError, allErrors }: Validators,
  schema: object,
): (value: unknown, length: () => number) => readonly ErrorObject[] {
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
