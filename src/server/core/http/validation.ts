// Validates parameters, query and body; error messages name the place.
import type { ErrorObject } from "ajv";
import type { TSchema } from "typebox";
import { ApiError } from "../../../lib/errors.ts";
import type { Endpoint } from "../../../api/endpoint.ts";
import { errorFinder, MAX_REPORTED, describeError } from "../schema-check.ts";

/** Checks a body of `length` characters: fills in its defaults, or throws `InputValidationError`. */
export type BodyCheck = (body: unknown, length: number) => void;

/** Returns a validator for bodies. Errors include `schemaUrl`, so that people can look up the schema. */
export function bodyCheck(schema: TSchema, schemaUrl: () => string): BodyCheck {
  const findErrors = errorFinder(schema);
  return (body, length) => {
    const errors = findErrors(body, () => length);
    if (errors.length === 0) return;
    const lines = errors.slice(0, MAX_REPORTED).map((error) => `  * ${describe(error)}`);
    if (errors.length > MAX_REPORTED) lines.push(`  * … and ${errors.length - MAX_REPORTED} more`);
    // oxlint-disable-next-line messages/next-step -- each error states what would be right
    throw new ApiError(
      "InputValidationError",
      `\nSchema Validation Failed!\nRejecting Schema: ${schemaUrl()}\nErrors:\n${lines.join("\n")}`,
    );
  };
}

const describe = (error: ErrorObject): string => `data${error.instancePath} ${describeError(error)}`;

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
    // oxlint-disable-next-line messages/next-step -- each problem states what would match
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
  // oxlint-disable-next-line messages/next-step -- each problem states what would be right
  if (problems.length > 0) throw new ApiError("InvalidRequestArguments", problems.join("\n"));
}
