// Turns the errors of JSON Schema validation into sentences about the members of a file.
import type { ErrorObject } from "ajv";
import { didYouMean } from "../lib/did-you-mean.ts";
import type { FilePath } from "./file-problems.ts";

/** Returns the place of an error. Of a missing member, it is that of its parent. */
export function placeOfError({ instancePath, params }: ErrorObject): FilePath {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const extra: unknown = params["additionalProperty"];
  return typeof extra === "string" ? [...path, extra] : path;
}

/** Describes an error. `known` are the members of the whole, which is called `what`. */
export function sentenceOfError(
  { instancePath, keyword, params, message }: ErrorObject,
  known: readonly string[],
  what: string,
): string {
  const at = instancePath.slice(1).replaceAll("/", ".");
  const where = at === "" ? "" : `${at}.`;
  switch (keyword) {
    case "required":
      return `${where}${String(params["missingProperty"])} is missing`;
    case "additionalProperties": {
      const name = String(params["additionalProperty"]);
      const meant = at === "" ? didYouMean(name, known) : undefined;
      return `${where}${name} is not a known member${meant === undefined ? "" : `; did you mean ${meant}?`}`;
    }
    case "enum":
      // All enums of the contract are strings.
      return `${at} must be one of ${(params["allowedValues"] as string[]).join(", ")}`;
    case "uniqueItems":
      return `elements ${Number(params["i"]) + 1} and ${Number(params["j"]) + 1} of ${at} are the same; remove one`;
    case "format":
      return `${at || what} must be ${formats[String(params["format"])] ?? `of the format ${String(params["format"])}`}`;
    default:
      return `${at || what} ${message ?? "is not valid"}`;
  }
}

/** What a text of a format is. */
const formats: Readonly<Record<string, string>> = {
  "date-time": "a time such as 2030-01-31T00:00:00.000Z",
  email: "an e-mail address such as ci@example.com",
};
