// A task's definition as people write it: checked against the contract, its times filled in.
import { Ajv, type ErrorObject } from "ajv";
import addFormats from "ajv-formats";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { CliError } from "../cli-error.ts";
import { absolute, day } from "./relative-time.ts";

export interface ReadDefinition {
  readonly definition: TaskDefinitionRequest;
  /** What was not in the file, in words. */
  readonly filledIn: readonly string[];
}

// As the server has it; all errors, since whoever wrote the file wants to mend it in one go.
const ajv = new Ajv({ allErrors: true, strictTypes: false });
addFormats.default(ajv);
const isDefinition = ajv.compile<TaskDefinitionRequest>(TaskDefinitionRequest);
const known = Object.keys(TaskDefinitionRequest.properties);

/** Checks a parsed definition. Throws a `CliError` with every mistake and its place. `now`: ms since the epoch. */
export function readDefinition(parsed: unknown, now: number): ReadDefinition {
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new CliError(
      `a task's definition is an object with members such as payload and metadata, not ${kindOf(parsed)}`,
    );
  }
  const filledIn: string[] = [];
  const given: Record<string, unknown> = { ...parsed };
  for (const key of ["created", "deadline", "expires"]) given[key] = absolute(given[key], now);
  if (given["created"] === undefined) {
    given["created"] = new Date(now).toISOString();
    filledIn.push("created: now");
  }
  if (given["deadline"] === undefined) {
    given["deadline"] = new Date(now + day).toISOString();
    filledIn.push("deadline: in a day");
  }
  if (given["expires"] === undefined) delete given["expires"];
  if (isDefinition(given)) return { definition: given, filledIn };
  const problems = new Set((isDefinition.errors ?? []).map(sentence));
  throw new CliError(
    `the definition is not a task:\n${[...problems].map((problem) => `  ${problem}`).join("\n")}`,
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
      // The contract's closed lists are of strings.
      return `${at} must be one of ${(params["allowedValues"] as string[]).join(", ")}`;
    default:
      return `${at || "the definition"} ${message ?? "is not valid"}`;
  }
}

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? "nothing" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
