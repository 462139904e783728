// A graph as people write it: tasks by name, with what each needs. docs/guides/graphs.md describes the format.
import { LineCounter, parseDocument } from "yaml";
import { MAX_TASKS_PER_CALL } from "../../api/queue/graph.ts";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { CliError } from "../cli-error.ts";
import { choices, countChoices, fill, readVariables } from "./expand.ts";
import { fileProblems, told, type FilePath, type FileProblems } from "./file-problems.ts";

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

/** Reads a graph in YAML or JSON. Throws a `CliError` with every mistake and where it is. `file` is for messages. */
export function readGraphFile(source: string, file: string): GraphFile {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, merge: true });
  if (document.errors.length > 0)
    throw new CliError(
      told(
        document.errors.map(({ message, linePos }) => {
          const at = linePos ? `${linePos[0].line}:${linePos[0].col}` : "1:1";
          // The parser's own text ends with the place and a drawing of it.
          return `${file}:${at}: ${message.split(" at line ")[0] ?? message}`;
        }),
      ),
    );
  const problems = fileProblems(file, document, lines);
  const graph: unknown = document.toJS();
  if (!isMembers(graph)) throw new CliError(`${file}:1:1: a graph is an object with tasks by name`);
  checkMembers(problems, [], graph, graphMembers);
  const { name = file.replace(/^.*\//, "").replace(/\.\w+$/, ""), defaults = {}, tasks } = graph;
  if (typeof name !== "string") problems.add(["name"], "name is not a text");
  if (!isMembers(defaults)) problems.add(["defaults"], "defaults is not an object");
  else checkMembers(problems, ["defaults"], defaults, defaultMembers);
  if (!isMembers(tasks) || Object.keys(tasks).length === 0)
    problems.add(["tasks"], "a graph has tasks: an object with a member for each, by name");
  problems.throwAny();

  // Each was checked just above, or there was an error.
  const expanded = expandTasks(problems, tasks as Members, defaults as Members);
  problems.throwAny();
  const named = resolveNeeds(problems, expanded);
  problems.throwAny();
  return { name: String(name), tasks: named, problems };
}

interface Expanded extends Omit<FileTask, "needs"> {
  /** Names, and patterns of names. */
  readonly wants: readonly string[];
}

function expandTasks(problems: FileProblems, tasks: Members, defaults: Members): Expanded[] {
  const expanded = new Map<string, Expanded>();
  for (const [key, given] of Object.entries(tasks)) {
    const path = ["tasks", key];
    if (!isMembers(given)) {
      problems.add(path, `${key} is not an object`);
      continue;
    }
    checkMembers(problems, path, given, taskMembers);
    const { for: loop = {}, needs: wanted = [], ...own } = given;
    const variables = readVariables(loop);
    const wants = textsOf(wanted);
    if (typeof variables === "string") problems.add([...path, "for"], variables);
    if (!wants) problems.add([...path, "needs"], "needs is the name of a task, or a list of names");
    if (typeof variables === "string" || !wants) continue;
    if (expanded.size + countChoices(variables) > MAX_TASKS_PER_CALL) {
      problems.add(path, `with ${key} there are more than ${MAX_TASKS_PER_CALL} tasks, which is the most`);
      break;
    }
    for (const chosen of choices(variables)) {
      const name = String(fill(key, chosen));
      const hole = /\{\{.*?\}\}/.exec([name, ...wants.map((want) => String(fill(want, chosen)))].join(" "));
      if (hole) {
        problems.add(path, `${hole[0]} in the name or in needs is no variable of for`);
        break;
      }
      if (expanded.has(name)) {
        const missing = Object.keys(variables).filter((variable) => !key.includes(`{{${variable}}}`));
        const hint = missing.length > 0 ? `: put {{${missing.join("}} and {{")}}} in its name` : "";
        problems.add(path, `there are several tasks with the name ${name}${hint}`);
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
  return [...expanded.values()];
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
  return tasks.map(({ wants, ...task }) => {
    const needs = wants.flatMap((want) => {
      if (!want.includes("*")) return [want];
      const known = matches.get(want) ?? [...names].filter((name) => patternOf(want).test(name));
      matches.set(want, known);
      return known.length === 0 ? [want] : known.filter((name) => name !== task.name);
    });
    for (const need of needs) {
      if (names.has(need)) continue;
      const meant = didYouMean(need, names);
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      problems.add(
        [...task.path, "needs"],
        `${task.name} needs ${need}, which is no task of the graph${hint}`,
      );
    }
    return { ...task, needs: [...new Set(needs)] };
  });
}

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
