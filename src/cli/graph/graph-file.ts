// Reads a graph file: tasks by name, with the tasks that each needs. docs/guides/graphs.md describes the format.
import { MAX_TASKS_PER_CALL } from "../../api/queue/graph.ts";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { payloadJsonSchema } from "../../worker/payload-faults.ts";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { CliError, MAX_LISTED } from "../cli-error.ts";
import type { Yaml } from "../parse-yaml.ts";
import { textOf } from "../written-scalar.ts";
import { combinations, countCombinations, readVariables, substitute } from "./expand.ts";
import { fileProblems, type FilePath, type FileProblems } from "../file-problems.ts";
import { isMembers, textsOf, type Members } from "../members.ts";

export interface FileTask {
  readonly name: string;
  /** Its place in the file. */
  readonly path: FilePath;
  readonly needs: readonly string[];
  /** The remaining members, merged with the defaults. */
  readonly members: Members;
}

export interface GraphFile {
  readonly name: string;
  readonly tasks: readonly FileTask[];
  readonly problems: FileProblems;
}

const graphMembers = ["name", "defaults", "tasks"];
/** Members in addition to those of a task definition. */
const ownMembers = ["command", "env", "artifacts", "maxRunTime", "description"];
const definitionMembers = Object.keys(TaskDefinitionRequest.properties).filter(
  (name) => !["created", "dependencies", "taskGroupId"].includes(name),
);
const defaultMembers = [...ownMembers, ...definitionMembers];
const taskMembers = ["needs", "for", ...defaultMembers];

/** The number of edges that fit into a call alongside the tasks, at 26 bytes each. */
const MAX_EDGES = 2_000_000;
const CONTROL = /\p{Cc}/u;

/** Reads a graph. Throws a `CliError` that lists every problem with its position. `file` is used in messages only. */
export function readGraphFile({ value: graph, document, lines }: Yaml, file: string): GraphFile {
  const problems = fileProblems(file, document, lines);
  if (!isMembers(graph)) throw new CliError(`${file}:1:1: a graph must be an object with tasks by name`);
  checkMembers(problems, [], graph, graphMembers);
  const { name: given = file.replace(/^.*\//, "").replace(/\.\w+$/, ""), defaults = {}, tasks } = graph;
  const name = textOf(given);
  if (name === undefined || CONTROL.test(name))
    problems.add(["name"], "name must be a string without line breaks or control characters");
  if (!isMembers(defaults)) problems.add(["defaults"], "defaults must be an object");
  else checkMembers(problems, ["defaults"], defaults, defaultMembers);
  if (!isMembers(tasks) || Object.keys(tasks).length === 0)
    problems.add(["tasks"], "tasks must be an object with at least one task, by name");

  const expanded =
    isMembers(tasks) && isMembers(defaults) ? expandTasks(problems, tasks, defaults) : undefined;
  // If a task could not be read, tasks that need it would be reported as well.
  const resolved = expanded ? resolveNeeds(problems, expanded) : [];
  problems.throwIfAny();
  return { name: String(name), tasks: resolved, problems };
}

interface Expanded extends Omit<FileTask, "needs"> {
  /** Names and patterns of names. */
  readonly needs: readonly string[];
}

/** Returns undefined if any task could not be read. */
function expandTasks(problems: FileProblems, tasks: Members, defaults: Members): Expanded[] | undefined {
  let complete = true;
  const skip = (path: FilePath, text: string): void => {
    problems.add(path, text);
    complete = false;
  };
  const expanded = new Map<string, Expanded>();
  for (const [key, given] of Object.entries(tasks)) {
    const path = ["tasks", key];
    if (!isMembers(given)) {
      skip(path, `${key} must be an object`);
      continue;
    }
    checkMembers(problems, path, given, taskMembers);
    const { for: loop = {}, needs: givenNeeds = [], ...own } = given;
    const variables = readVariables(loop);
    const one = textOf(givenNeeds);
    const needs = one === undefined ? textsOf(givenNeeds) : [one];
    if (typeof variables === "string") skip([...path, "for"], variables);
    if (!needs) skip([...path, "needs"], "needs must be the name of a task, or a list of names");
    if (typeof variables === "string" || !needs) continue;
    if (expanded.size + countCombinations(variables) > MAX_TASKS_PER_CALL) {
      skip(path, `${key} exceeds the maximum of ${MAX_TASKS_PER_CALL} tasks`);
      break;
    }
    for (const chosen of combinations(variables)) {
      const name = String(substitute(key, chosen));
      const filled = needs.map((need) => String(substitute(need, chosen)));
      const hole = /\{\{.*?\}\}/.exec([name, ...filled].join(" "));
      if (hole) {
        skip(path, `${hole[0]} in the name or in needs is not a variable of for`);
        break;
      }
      if (name === "" || CONTROL.test(name)) {
        skip(path, "the name of a task must not be empty or have line breaks or control characters");
        break;
      }
      if (expanded.has(name)) {
        const missing = Object.keys(variables).filter((variable) => !key.includes(`{{${variable}}}`));
        const hint = missing.length > 0 ? `: add {{${missing.join("}} and {{")}}} to its name` : "";
        skip(path, `more than one task is named ${name}${hint}`);
        break;
      }
      // Substituted after the merge, so that defaults can use the variables too.
      const members = substitute(withDefaults(own, defaults), chosen) as Members;
      expanded.set(name, { name, path, needs: filled, members });
    }
  }
  return complete ? [...expanded.values()] : undefined;
}

/** Merges objects by member, one level deep. Any other member of the task replaces the default. */
function withDefaults(own: Members, defaults: Members): Members {
  const merged: Record<string, unknown> = { ...defaults, ...own };
  for (const [name, member] of Object.entries(own)) {
    const below = defaults[name];
    if (isMembers(member) && isMembers(below)) merged[name] = { ...below, ...member };
  }
  return merged;
}

function resolveNeeds(problems: FileProblems, tasks: readonly Expanded[]): FileTask[] {
  const names = new Set(tasks.map(({ name }) => name));
  /** Cached: many tasks need the same pattern. */
  const matches = new Map<string, readonly string[]>();
  let edges = 0;
  let suggestions = 0;
  const resolved: FileTask[] = [];
  for (const { needs: wanted, ...task } of tasks) {
    const needs = new Set<string>();
    const path = [...task.path, "needs"];
    for (const need of wanted) {
      const known = matches.get(need) ?? matching(need, names);
      matches.set(need, known);
      for (const name of known) if (name !== task.name || !need.includes("*")) needs.add(name);
      if (known.length > 0) continue;
      // A suggestion compares all names, so only the problems that are listed get one.
      const meant = suggestions++ < MAX_LISTED ? didYouMean(need, names) : undefined;
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      problems.add(path, `${task.name} needs ${need}, which is not a task of the graph${hint}`);
    }
    edges += needs.size;
    if (edges > MAX_EDGES) {
      problems.add(
        path,
        `${task.name} exceeds the maximum of ${MAX_EDGES} dependencies: add a task that needs all of these, and need only that task`,
      );
      break;
    }
    resolved.push({ ...task, needs: [...needs] });
  }
  return resolved;
}

const matching = (need: string, names: ReadonlySet<string>): readonly string[] => {
  if (!need.includes("*")) return names.has(need) ? [need] : [];
  const pattern = patternOf(need);
  return [...names].filter((name) => pattern.test(name));
};

const patternOf = (need: string): RegExp =>
  new RegExp(
    `^${need
      .split("*")
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join(".*")}$`,
  );

/** What other systems call a member. */
const namesElsewhere: Readonly<Record<string, string>> = {
  dependencies: "needs",
  dependsOn: "needs",
  depends_on: "needs",
  environment: "env",
  matrix: "for",
  queue: "taskQueueId",
  retry: "payload: { onExitStatus: { retry: [1] } }, with the exit statuses after which it runs again",
  run: "command",
  script: "command",
  timeout: "maxRunTime",
  variables: "env",
};

/** Says where a member belongs that is in the wrong place. Returns undefined if it exists nowhere. */
function placeOfMember(name: string): string | undefined {
  if (name === "for" || name === "needs") return "it belongs to a task";
  if (taskMembers.includes(name)) return "it belongs to a task, or to defaults";
  if (graphMembers.includes(name)) return "it belongs to the top of the file";
  if (Object.hasOwn(namesElsewhere, name)) return `write ${namesElsewhere[name]}`;
  if (Object.hasOwn(payloadJsonSchema.properties, name))
    return `it belongs to the payload: write payload: { ${name}: … }`;
  if (Object.hasOwn(TaskDefinitionRequest.properties.metadata.properties, name))
    return `it belongs to the metadata: write metadata: { ${name}: … }`;
  return undefined;
}

function checkMembers(problems: FileProblems, path: FilePath, of: Members, known: readonly string[]): void {
  for (const name of Object.keys(of)) {
    if (known.includes(name)) continue;
    const place = placeOfMember(name);
    const meant = place === undefined ? didYouMean(name, known) : undefined;
    const hint =
      place ?? (meant === undefined ? `known members: ${known.join(", ")}` : `did you mean ${meant}?`);
    problems.add([...path, name], `${name} is not a known member here; ${hint}`);
  }
}
