// A graph as people write it: tasks by name, with what each needs. docs/guides/graphs.md describes the format.
import { MAX_TASKS_PER_CALL } from "../../api/queue/graph.ts";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { CliError, MAX_LISTED } from "../cli-error.ts";
import type { Yaml } from "../parse-yaml.ts";
import { combinations, countCombinations, fill, readVariables } from "./expand.ts";
import { fileProblems, type FilePath, type FileProblems } from "./file-problems.ts";

/** Members of the file as they were written, not looked at yet. */
export type Members = Readonly<Record<string, unknown>>;

export interface FileTask {
  readonly name: string;
  /** Where it is in the file. */
  readonly path: FilePath;
  readonly needs: readonly string[];
  /** What is left: its own members, and those of the defaults below them. */
  readonly members: Members;
}

export interface GraphFile {
  readonly name: string;
  readonly tasks: readonly FileTask[];
  readonly problems: FileProblems;
}

const graphMembers = ["name", "defaults", "tasks"];
/** Ours, beside those of a task's definition. */
const ownMembers = ["command", "env", "artifacts", "maxRunTime", "description"];
const definitionMembers = Object.keys(TaskDefinitionRequest.properties).filter(
  (name) => !["created", "dependencies", "taskGroupId"].includes(name),
);
const defaultMembers = [...ownMembers, ...definitionMembers];
const taskMembers = ["needs", "for", ...defaultMembers];

/** What fits in a call beside the tasks: 26 bytes each. */
const MAX_EDGES = 2_000_000;
const CONTROL = /\p{Cc}/u;

/** Reads a graph. Throws a `CliError` with every mistake and where it is. `file` is for messages. */
export function readGraphFile({ value: graph, document, lines }: Yaml, file: string): GraphFile {
  const problems = fileProblems(file, document, lines);
  if (!isMembers(graph)) throw new CliError(`${file}:1:1: a graph is an object with tasks by name`);
  checkMembers(problems, [], graph, graphMembers);
  const { name = file.replace(/^.*\//, "").replace(/\.\w+$/, ""), defaults = {}, tasks } = graph;
  if (typeof name !== "string" || CONTROL.test(name))
    problems.add(["name"], "name is not a text on one line");
  if (!isMembers(defaults)) problems.add(["defaults"], "defaults is not an object");
  else checkMembers(problems, ["defaults"], defaults, defaultMembers);
  if (!isMembers(tasks) || Object.keys(tasks).length === 0)
    problems.add(["tasks"], "a graph has tasks: an object with a member for each, by name");

  const expanded =
    isMembers(tasks) && isMembers(defaults) ? expandTasks(problems, tasks, defaults) : undefined;
  // Where a task could not be read, others would seem to need nothing that there is.
  const named = expanded ? resolveNeeds(problems, expanded) : [];
  problems.throwAny();
  return { name: String(name), tasks: named, problems };
}

interface Expanded extends Omit<FileTask, "needs"> {
  /** Names, and patterns of names. */
  readonly wants: readonly string[];
}

/** Undefined where not all of them could be read. */
function expandTasks(problems: FileProblems, tasks: Members, defaults: Members): Expanded[] | undefined {
  let isWhole = true;
  const skip = (path: FilePath, text: string): void => {
    problems.add(path, text);
    isWhole = false;
  };
  const expanded = new Map<string, Expanded>();
  for (const [key, given] of Object.entries(tasks)) {
    const path = ["tasks", key];
    if (!isMembers(given)) {
      skip(path, `${key} is not an object`);
      continue;
    }
    checkMembers(problems, path, given, taskMembers);
    const { for: loop = {}, needs: wanted = [], ...own } = given;
    const variables = readVariables(loop);
    const wants = textsOf(wanted);
    if (typeof variables === "string") skip([...path, "for"], variables);
    if (!wants) skip([...path, "needs"], "needs is the name of a task, or a list of names");
    if (typeof variables === "string" || !wants) continue;
    if (expanded.size + countCombinations(variables) > MAX_TASKS_PER_CALL) {
      skip(path, `with ${key} there are more than ${MAX_TASKS_PER_CALL} tasks, which is the most`);
      break;
    }
    for (const chosen of combinations(variables)) {
      const name = String(fill(key, chosen));
      const hole = /\{\{.*?\}\}/.exec([name, ...wants.map((want) => String(fill(want, chosen)))].join(" "));
      if (hole) {
        skip(path, `${hole[0]} in the name or in needs is no variable of for`);
        break;
      }
      if (name === "" || CONTROL.test(name)) {
        skip(
          path,
          "the name of a task has a letter at least, and no line breaks or other control characters",
        );
        break;
      }
      if (expanded.has(name)) {
        const missing = Object.keys(variables).filter((variable) => !key.includes(`{{${variable}}}`));
        const hint = missing.length > 0 ? `: put {{${missing.join("}} and {{")}}} in its name` : "";
        skip(path, `there are several tasks with the name ${name}${hint}`);
        break;
      }
      expanded.set(name, {
        name,
        path,
        wants: wants.map((want) => String(fill(want, chosen))),
        // Filled with the defaults in, so that these may use the variables, too.
        members: fill(withDefaults(own, defaults), chosen) as Members,
      });
    }
  }
  return isWhole ? [...expanded.values()] : undefined;
}

/** Objects are merged member by member, one level deep; anything else of the task's own takes the default's place. */
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
  /** What a pattern stands for; asked for by many tasks, worked out once. */
  const matches = new Map<string, readonly string[]>();
  let edges = 0;
  let guesses = 0;
  const resolved: FileTask[] = [];
  for (const { wants, ...task } of tasks) {
    const needs = new Set<string>();
    const path = [...task.path, "needs"];
    for (const want of wants) {
      const known = matches.get(want) ?? matching(want, names);
      matches.set(want, known);
      for (const name of known) if (name !== task.name || !want.includes("*")) needs.add(name);
      if (known.length > 0) continue;
      // A guess looks at all names, so that only those that are told are worth one.
      const meant = guesses++ < MAX_LISTED ? didYouMean(want, names) : undefined;
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      problems.add(path, `${task.name} needs ${want}, which is no task of the graph${hint}`);
    }
    edges += needs.size;
    if (edges > MAX_EDGES) {
      problems.add(
        path,
        `with ${task.name} there are more than ${MAX_EDGES} dependencies, which is the most: put a task between that needs all of these, and is needed in their place`,
      );
      break;
    }
    resolved.push({ ...task, needs: [...needs] });
  }
  return resolved;
}

const matching = (want: string, names: ReadonlySet<string>): readonly string[] => {
  if (!want.includes("*")) return names.has(want) ? [want] : [];
  const pattern = patternOf(want);
  return [...names].filter((name) => pattern.test(name));
};

const patternOf = (want: string): RegExp =>
  new RegExp(
    `^${want
      .split("*")
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join(".*")}$`,
  );

function checkMembers(problems: FileProblems, path: FilePath, of: Members, known: readonly string[]): void {
  for (const name of Object.keys(of)) {
    if (known.includes(name)) continue;
    const meant = didYouMean(name, known);
    const hint = meant === undefined ? `it may be ${known.join(", ")}` : `did you mean ${meant}?`;
    problems.add([...path, name], `${name} is not a known member; ${hint}`);
  }
}

const textsOf = (value: unknown): readonly string[] | undefined =>
  typeof value === "string"
    ? [value]
    : Array.isArray(value) && value.every((element) => typeof element === "string")
      ? value
      : undefined;

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
