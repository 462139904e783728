// Reads a task definition from a file: validates it against the contract and fills in times.
import { Ajv, type ErrorObject } from "ajv";
import addFormats from "ajv-formats";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { CliError } from "../cli-error.ts";
import { absoluteTime, day } from "./relative-time.ts";

export interface ReadDefinition {
  readonly definition: TaskDefinitionRequest;
  /** The defaults that were used, as text for the user. */
  readonly defaults: readonly string[];
}

// Configured as on the server, but with all errors: the author of a file wants to fix them in one go.
const ajv = new Ajv({ allErrors: true, strictTypes: false });
addFormats.default(ajv);
const isDefinition = ajv.compile<TaskDefinitionRequest>(TaskDefinitionRequest);
const known = Object.keys(TaskDefinitionRequest.properties);

/** Validates a parsed definition. Throws a `CliError` that lists every problem. `now`: milliseconds since the epoch. */
export function readDefinition(parsed: unknown, now: number): ReadDefinition {
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new CliError(
      `a task definition must be an object with members such as payload and metadata, not ${kindOf(parsed)}`,
    );
  }
  const defaults: string[] = [];
  const given: Record<string, unknown> = { ...parsed };
  for (const key of ["created", "deadline", "expires"]) given[key] = absoluteTime(given[key], now);
  if (given["created"] === undefined) {
    given["created"] = new Date(now).toISOString();
    defaults.push("created: now");
  }
  if (given["deadline"] === undefined) {
    given["deadline"] = new Date(now + day).toISOString();
    defaults.push("deadline: in 1 day");
  }
  if (given["expires"] === undefined) delete given["expires"];
  if (isDefinition(given)) return { definition: given, defaults };
  const problems = new Set((isDefinition.errors ?? []).map(sentence));
  throw new CliError(
    `invalid task definition:\n${[...problems].map((problem) => `  ${problem}`).join("\n")}`,
  );
}

function sentence({ instancePath, keyword, params, message }: ErrorObject): string {
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
    default:
      return `${at || "the definition"} ${message ?? "is not valid"}`;
  }
}

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? "nothing" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
