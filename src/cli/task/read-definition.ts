// Reads a task definition from a file: validates it against the contract and fills in times.
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { CliError, listProblems } from "../cli-error.ts";
import { compileSchema } from "../compile-schema.ts";
import { fileProblems, type FilePath } from "../file-problems.ts";
import { isMembers, type Members } from "../members.ts";
import type { Yaml } from "../parse-yaml.ts";
import { placeOfError, sentenceOfError } from "../schema-problem.ts";
import { plainValue } from "../written-scalar.ts";
import { checkPayload, payloadSchemaOf } from "./payload-check.ts";
import { absoluteTime, day, resolveFromNow, timeSchema } from "./relative-time.ts";

export interface ReadDefinition {
  readonly definition: TaskDefinitionRequest;
  /** The defaults that were used, as text for the user. */
  readonly defaults: readonly string[];
}

const isDefinition = compileSchema<TaskDefinitionRequest>(TaskDefinitionRequest);
const known = Object.keys(TaskDefinitionRequest.properties);

/**
 * Validates a parsed definition. Throws a `CliError` that lists every problem with its position. `file` is used in messages
 * only. `now`: milliseconds since the epoch.
 */
export function readDefinition(
  { value: parsed, document, lines }: Yaml,
  file: string,
  now: number,
): ReadDefinition {
  if (!isMembers(parsed))
    throw new CliError(
      `a task definition must be an object with members such as payload and metadata, not ${kindOf(plainValue(parsed, undefined, () => undefined))}`,
    );
  const { positionOf } = fileProblems(file, document, lines);
  const problems = new Set<string>();
  const addProblem = (path: FilePath, text: string): void =>
    void problems.add(`${positionOf(path)}: ${text}`);
  const { payload } = parsed;
  const properties = {
    ...TaskDefinitionRequest.properties,
    ...(isMembers(payload) && { payload: payloadSchemaOf(payload) }),
    ...Object.fromEntries(times.map((name) => [name, timeSchema])),
  };
  const plain = plainValue(parsed, { properties }, (path, text) =>
    addProblem(path, `${path.join(".")}: ${text}`),
  );
  const defaults: string[] = [];
  // Has the members of `parsed`.
  const given = { ...(plain as Members) };
  let timesAreValid = true;
  for (const name of [...times, "payload"])
    given[name] = resolveFromNow(
      given[name],
      now,
      (path, text) => {
        timesAreValid = false;
        addProblem(path, `${path.join(".")}: ${text}`);
      },
      [name],
    );
  for (const name of times) given[name] = absoluteTime(given[name], now);
  if (given["created"] === undefined) {
    given["created"] = new Date(now).toISOString();
    defaults.push("created: now");
  }
  if (given["deadline"] === undefined) {
    given["deadline"] = new Date(now + day).toISOString();
    defaults.push("deadline: in 1 day");
  }
  if (given["expires"] === undefined) delete given["expires"];
  // The validator would report such times as values of a wrong type.
  if (!timesAreValid) throw invalid(problems);
  if (isDefinition(given)) {
    for (const { path, text } of checkPayload(given.payload, given)) addProblem(["payload", ...path], text);
    if (problems.size === 0) return { definition: given, defaults };
  } else
    for (const error of isDefinition.errors ?? [])
      addProblem(placeOfError(error), sentenceOfError(error, known, "the definition"));
  throw invalid(problems);
}

const invalid = (problems: ReadonlySet<string>): CliError =>
  // oxlint-disable-next-line messages/next-step -- each problem states what would be right
  new CliError(`invalid task definition:\n${listProblems([...problems].map((text) => `  ${text}`))}`);

const times = ["created", "deadline", "expires"];

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? "nothing" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
