// Builds task definitions from a graph file.
import type { NewTask } from "../../api/queue/graph.ts";
import type { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { slugid } from "../../lib/slugid.ts";
import { messageOf } from "../cli-error.ts";
import { isTaskQueueId } from "../parse-task-queue.ts";
import { artifactEntry, localOwner, truncate } from "../run/definition.ts";
import { parseSeconds } from "../run/parse-options.ts";
import { absoluteTime, day } from "../task/relative-time.ts";
import { isMembers, type FileTask, type GraphFile, type Members } from "./graph-file.ts";

export interface GraphTask {
  readonly taskId: string;
  readonly name: string;
  readonly needs: readonly string[];
  /** Whether it also runs after failed dependencies. */
  readonly anyResolution: boolean;
}

export interface Graph {
  readonly name: string;
  readonly taskGroupId: string;
  readonly tasks: readonly GraphTask[];
  /** In the same order. */
  readonly requests: readonly NewTask[];
}

export interface GraphOrigin {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly rootUrl: string;
  /** The queue of tasks that name none. */
  readonly taskQueueId: string;
}

/** Creates ids and definitions. Throws a `CliError` that lists the problems found here; the queue checks the rest. */
export function graphTasks(file: GraphFile, origin: GraphOrigin): Graph {
  const taskGroupId = slugid();
  const ids = new Map(file.tasks.map(({ name }) => [name, slugid()]));
  const reported = new Set<string>();
  const requests = file.tasks.map((task): NewTask => {
    const addProblem: AddProblem = (member, text) => {
      // A problem of a task with `for` is reported once, for the first combination.
      const key = JSON.stringify([...task.path, member, text]);
      if (!reported.has(key)) file.problems.add([...task.path, member], `${task.name}: ${text}`);
      reported.add(key);
    };
    const definition = definitionOf(file.name, task, origin, addProblem);
    const dependencies = task.needs.map((need) => ids.get(need) ?? "");
    return { taskId: ids.get(task.name) ?? "", task: { ...definition, taskGroupId, dependencies } };
  });
  file.problems.throwIfAny();
  const tasks = file.tasks.map(({ name, needs, members }) => ({
    taskId: ids.get(name) ?? "",
    name,
    needs,
    anyResolution: members["requires"] === "all-resolved",
  }));
  return { name: file.name, taskGroupId, tasks, requests };
}

/** Records a problem with a member of a task. */
type AddProblem = (member: string, text: string) => void;

function definitionOf(
  graph: string,
  { name, members }: FileTask,
  { now, rootUrl, taskQueueId }: GraphOrigin,
  addProblem: AddProblem,
): TaskDefinitionRequest {
  const { command, env, artifacts, maxRunTime, description, payload, metadata, ...rest } = members;
  const commands = commandsOf(command);
  const given = isMembers(payload) ? payload : {};
  if (command !== undefined && !commands)
    addProblem("command", "command must be a shell script, a list of words, or a list of such lists");
  if (command === undefined && payload === undefined)
    addProblem("command", "command is missing; add a command or a payload");
  if (payload !== undefined && !isMembers(payload)) addProblem("payload", "payload must be an object");
  if (metadata !== undefined && !isMembers(metadata)) addProblem("metadata", "metadata must be an object");
  if (env !== undefined && !isMembers(env)) addProblem("env", "env must be an object of names and values");
  const paths = artifacts === undefined ? [] : textsOf(artifacts);
  if (!paths) addProblem("artifacts", "artifacts must be a list of paths; a folder ends in /");
  const queue = rest["taskQueueId"];
  if (queue !== undefined && !(typeof queue === "string" && isTaskQueueId(queue)))
    addProblem("taskQueueId", `taskQueueId: ${shown(queue)} is not a task queue such as local/default`);
  const timeOf = (member: string, defaultMs: number): unknown => {
    const value = rest[member];
    const time = value === undefined ? new Date(now + defaultMs).toISOString() : absoluteTime(value, now);
    if (typeof time !== "string" || Number.isNaN(Date.parse(time)))
      addProblem(member, `${member}: ${shown(value)} is not a time such as 2 hours or 2026-01-31T12:00:00Z`);
    return time;
  };

  const task = {
    ...(!("provisionerId" in rest) && { taskQueueId }),
    ...rest,
    created: new Date(now).toISOString(),
    deadline: timeOf("deadline", day),
    expires: timeOf("expires", 28 * day),
    payload: {
      ...given,
      ...(commands && { command: commands }),
      ...((commands || maxRunTime !== undefined) && {
        maxRunTime: secondsOf(maxRunTime ?? 3600, addProblem),
      }),
      ...(isMembers(env) && { env: { ...membersOf(given["env"]), ...textMembers(env) } }),
      ...(paths && paths.length > 0 && { artifacts: paths.map(artifactEntry) }),
    },
    metadata: {
      name: truncate(name, 255),
      description:
        typeof description === "string" ? description : truncate(`${name}, of the graph ${graph}`, 32_768),
      owner: localOwner(),
      source: rootUrl,
      ...membersOf(metadata),
    },
  };
  // Other members of the file are passed on unchecked: the queue validates them, and its faults are reported by task name.
  return task as TaskDefinitionRequest;
}

/** Runs a string in a shell that stops at the first failure, as users expect of several lines. */
function commandsOf(command: unknown): readonly (readonly string[])[] | undefined {
  if (typeof command === "string") return [["sh", "-ec", command]];
  if (!Array.isArray(command) || command.length === 0) return undefined;
  const words = command.map(wordOf);
  if (words.every((word) => word !== undefined)) return [words];
  const all = command.map((line: unknown) => (Array.isArray(line) ? line.map(wordOf) : [undefined]));
  return all.every((line) => line.every((word) => word !== undefined)) ? all : undefined;
}

const wordOf = (word: unknown): string | undefined =>
  typeof word === "string" ? word : typeof word === "number" ? String(word) : undefined;

function secondsOf(value: unknown, addProblem: AddProblem): unknown {
  if (typeof value === "number") return value;
  try {
    return parseSeconds(String(value));
  } catch (error) {
    addProblem("maxRunTime", messageOf(error).replace("--max-run-time", "maxRunTime"));
    return value;
  }
}

/** Formats a value of the file for a message. */
const shown = (value: unknown): string =>
  truncate(typeof value === "string" ? value : JSON.stringify(value), 60);

const textsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((element) => typeof element === "string") ? value : undefined;

const membersOf = (value: unknown): Members => (isMembers(value) ? value : {});

/** Converts numbers and booleans to strings: YAML parses `1` as a number, but environment variables are strings. */
const textMembers = (env: Members): Members =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      ["number", "boolean"].includes(typeof value) ? String(value) : value,
    ]),
  );
