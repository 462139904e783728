// Checks of parameters, query and body, with messages that name the place.
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { ApiError } from "../../../lib/errors.ts";
import type { Endpoint } from "../../../api/endpoint.ts";
import type { Named } from "../../../api/schema.ts";

/** Fills in defaults, coerces nothing, removes nothing, finds every error. One instance a server. */
export function createAjv(): Ajv {
  const ajv = new Ajv({
    useDefaults: true,
    allErrors: true,
    strict: true,
    // `oneOf` over shapes tells members apart by `storageType`; strict mode only wants to hear it is meant.
    strictTypes: false,
    strictRequired: false,
  });
  addFormats.default(ajv);
  return ajv;
}

/** Compiles the check of a request body: it fills in defaults, or throws `InputValidationError`. */
export function compileBodyCheck(ajv: Ajv, schema: Named, schemaUrl: string): (body: unknown) => void {
  const validate: ValidateFunction = ajv.compile(schema.schema);
  return (body) => {
    if (validate(body)) return;
    const lines = (validate.errors ?? []).map((e) => `  * ${describe(e)}`);
    throw new ApiError(
      "InputValidationError",
      `\nSchema Validation Failed!\nRejecting Schema: ${schemaUrl}\nErrors:\n${lines.join("\n")}`,
    );
  };
}

function describe(error: ErrorObject): string {
  const path = `data${error.instancePath}`;
  const extra =
    error.keyword === "additionalProperties"
      ? `: ${JSON.stringify(error.params["additionalProperty"])}`
      : error.keyword === "enum"
        ? `: ${JSON.stringify(error.params["allowedValues"])}`
        : "";
  return `${path} ${error.message ?? "is not valid"}${extra}`;
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
