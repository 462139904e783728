// From a graph file to what the queue takes.
import type { NewTask } from "../../api/queue/graph.ts";
import type { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { slugid } from "../../lib/slugid.ts";
import { artifactEntry, truncate, localOwner } from "../run/definition.ts";
import { isTaskQueueId, parseSeconds } from "../run/parse-options.ts";
import { absolute, day } from "../task/relative-time.ts";
import { messageOf } from "../cli-error.ts";
import { isMembers, type FileTask, type GraphFile, type Members } from "./graph-file.ts";

export interface GraphTask {
  readonly taskId: string;
  readonly name: string;
  readonly needs: readonly string[];
  /** Whether it goes on also when what it needs has failed. */
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

/** Makes ids and definitions. Throws a `CliError` with every mistake that shows here; the queue checks the rest. */
export function graphTasks(file: GraphFile, origin: GraphOrigin): Graph {
  const taskGroupId = slugid();
  const ids = new Map(file.tasks.map(({ name }) => [name, slugid()]));
  const faults = new Set<string>();
  const requests = file.tasks.map((task): NewTask => {
    const fault: Fault = (member, text) => {
      // Of the many tasks that one stands for, the first is enough.
      const at = JSON.stringify([...task.path, member, text]);
      if (!faults.has(at)) file.problems.add([...task.path, member], `${task.name}: ${text}`);
      faults.add(at);
    };
    const definition = definitionOf(file.name, task, origin, fault);
    const dependencies = task.needs.map((need) => ids.get(need) ?? "");
    return { taskId: ids.get(task.name) ?? "", task: { ...definition, taskGroupId, dependencies } };
  });
  file.problems.throwAny();
  const tasks = file.tasks.map(({ name, needs, members }) => ({
    taskId: ids.get(name) ?? "",
    name,
    needs,
    anyResolution: members["requires"] === "all-resolved",
  }));
  return { name: file.name, taskGroupId, tasks, requests };
}

/** Tells what is wrong with a member of a task. */
type Fault = (member: string, text: string) => void;

function definitionOf(
  graph: string,
  { name, members }: FileTask,
  { now, rootUrl, taskQueueId }: GraphOrigin,
  fault: Fault,
): TaskDefinitionRequest {
  const { command, env, artifacts, maxRunTime, description, payload, metadata, ...rest } = members;
  const commands = commandsOf(command);
  const given = isMembers(payload) ? payload : {};
  if (command !== undefined && !commands)
    fault("command", "command is a text for the shell, a list of words, or a list of such lists");
  if (command === undefined && payload === undefined)
    fault("command", "what is to be done is missing: give it a command");
  if (payload !== undefined && !isMembers(payload)) fault("payload", "payload is not an object");
  if (metadata !== undefined && !isMembers(metadata)) fault("metadata", "metadata is not an object");
  if (env !== undefined && !isMembers(env)) fault("env", "env is not an object of names and values");
  const paths = artifacts === undefined ? [] : textsOf(artifacts);
  if (!paths) fault("artifacts", "artifacts is a list of paths; one that ends in / is a folder");
  const queue = rest["taskQueueId"];
  if (queue !== undefined && !(typeof queue === "string" && isTaskQueueId(queue)))
    fault("taskQueueId", `taskQueueId: ${shown(queue)} is no queue: these are written like local/default`);
  const at = (member: string, otherwise: number): unknown => {
    const given = rest[member];
    const time = given === undefined ? new Date(now + otherwise).toISOString() : absolute(given, now);
    if (typeof time !== "string" || Number.isNaN(Date.parse(time)))
      fault(
        member,
        `${member}: ${shown(given)} is no time: write one such as 2 hours, or 2026-01-31T12:00:00Z`,
      );
    return time;
  };

  const task = {
    ...(!("provisionerId" in rest) && { taskQueueId }),
    ...rest,
    created: new Date(now).toISOString(),
    deadline: at("deadline", day),
    expires: at("expires", 28 * day),
    payload: {
      ...given,
      ...(commands && { command: commands }),
      ...((commands || maxRunTime !== undefined) && { maxRunTime: secondsOf(maxRunTime ?? 3600, fault) }),
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
  // Members that the file may hold are passed on as they are: the queue checks them, and its faults are told by name.
  return task as TaskDefinitionRequest;
}

/** A text goes to a shell that stops at the first failure, as people expect of several lines. */
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

function secondsOf(value: unknown, fault: Fault): unknown {
  if (typeof value === "number") return value;
  try {
    return parseSeconds(String(value));
  } catch (error) {
    fault("maxRunTime", messageOf(error).replace("--max-run-time", "maxRunTime"));
    return value;
  }
}

/** What was written, as far as it helps. */
const shown = (value: unknown): string =>
  truncate(typeof value === "string" ? value : JSON.stringify(value), 60);

const textsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((element) => typeof element === "string") ? value : undefined;

const membersOf = (value: unknown): Members => (isMembers(value) ? value : {});

/** Variables of the environment are texts, though YAML reads `1` as a number. */
const textMembers = (env: Members): Members =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      ["number", "boolean"].includes(typeof value) ? String(value) : value,
    ]),
  );
