// Builds task definitions from a graph file.
import type { NewTask } from "../../api/queue/graph.ts";
import { slugid } from "../../lib/slugid.ts";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { messageOf } from "../cli-error.ts";
import { isTaskQueueId } from "../parse-task-queue.ts";
import { artifactEntry, truncate } from "../run/definition.ts";
import { localOwner } from "../run/local-owner.ts";
import { parseSeconds } from "../run/parse-options.ts";
import { checkPayload, payloadSchemaOf } from "../task/payload-check.ts";
import { absoluteTime, day, resolveFromNow, timeSchema, type OnInvalidTime } from "../task/relative-time.ts";
import { plainValue, textOf, WrittenScalar } from "../written-scalar.ts";
import type { FilePath } from "../file-problems.ts";
import type { FileTask, GraphFile } from "./graph-file.ts";
import { placeOf } from "./place-of.ts";
import { isMembers, textsOf, type Members } from "../members.ts";

export interface GraphTask {
  readonly taskId: string;
  readonly name: string;
  /** The ids of the tasks that must be resolved first. */
  readonly needs: readonly string[];
  /** Whether it also runs after failed dependencies. */
  readonly anyResolution: boolean;
  readonly taskQueueId: string | undefined;
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
      const path = placeOf(file, task, member);
      // A problem of a task with `for`, or of the defaults, is reported once, for the first task.
      const key = JSON.stringify([path, text]);
      if (!reported.has(key)) file.problems.add(path, `${task.name}: ${text}`);
      reported.add(key);
    };
    const dependencies = task.needs.map((need) => ids.get(need) ?? "");
    const definition = definitionOf(file.name, task, { taskGroupId, dependencies }, origin, addProblem);
    return { taskId: ids.get(task.name) ?? "", task: definition };
  });
  file.problems.throwIfAny();
  const tasks = requests.map(({ taskId, task }, i) => ({
    taskId,
    name: file.tasks[i]?.name ?? "",
    needs: task.dependencies ?? [],
    anyResolution: task.requires === "all-resolved",
    taskQueueId: task.taskQueueId,
  }));
  return { name: file.name, taskGroupId, tasks, requests };
}

/** Records a problem with a member of a task. */
type AddProblem = (member: FilePath, text: string) => void;

/** Members of a task that are written into its payload. */
const payloadMembers = ["command", "env", "artifacts", "maxRunTime"];

function definitionOf(
  graph: string,
  { name, members }: FileTask,
  place: { readonly taskGroupId: string; readonly dependencies: string[] },
  { now, rootUrl, taskQueueId }: GraphOrigin,
  addProblem: AddProblem,
): TaskDefinitionRequest {
  const { command, env, artifacts, maxRunTime, description, payload, metadata, ...rest } = members;
  const commands = commandsOf(command);
  const given = isMembers(payload) ? payload : {};
  if (command !== undefined && !commands)
    addProblem(["command"], "command must be a shell script, a list of words, or a list of such lists");
  if (command === undefined && payload === undefined)
    addProblem(["command"], "command is missing; add a command or a payload");
  if (payload !== undefined && !isMembers(payload)) addProblem(["payload"], "payload must be an object");
  if (metadata !== undefined && !isMembers(metadata)) addProblem(["metadata"], "metadata must be an object");
  if (env !== undefined && !isMembers(env)) addProblem(["env"], "env must be an object of names and values");
  const paths = artifacts === undefined ? [] : textsOf(artifacts);
  if (!paths) addProblem(["artifacts"], "artifacts must be a list of paths; a folder ends in /");
  const queue = rest["taskQueueId"];
  if (queue !== undefined && !isTaskQueueId(textOf(queue) ?? ""))
    addProblem(["taskQueueId"], `taskQueueId: ${shown(queue)} is not a task queue such as local/default`);
  const timeOf = (member: string, defaultMs: number): string => {
    const value = rest[member];
    const defaultTime = new Date(now + defaultMs).toISOString();
    const time = value === undefined ? defaultTime : absoluteTime(plainValue(value, timeSchema, ignore), now);
    if (typeof time === "string" && /^\d{4}-\d\d-\d\dT/.test(time) && !Number.isNaN(Date.parse(time)))
      return time;
    addProblem([member], `${member}: ${shown(value)} is not a time such as 2 hours or 2026-01-31T12:00:00Z`);
    return defaultTime;
  };

  const written = {
    ...given,
    ...(commands && { command: commands }),
    ...((commands || maxRunTime !== undefined) && { maxRunTime: secondsOf(maxRunTime, addProblem) }),
    ...(isMembers(env) && { env: { ...membersOf(given["env"]), ...textMembers(env) } }),
    ...(paths && paths.length > 0 && { artifacts: paths.map(artifactEntry) }),
  };
  const inFile = ([first = "", ...others]: FilePath): FilePath =>
    payloadMembers.includes(String(first)) && members[first] !== undefined
      ? [first, ...others]
      : ["payload", first, ...others];
  let timesAreValid = true;
  const onInvalidTime: OnInvalidTime = (path, text) => {
    timesAreValid = false;
    addProblem(inFile(path), `payload.${path.join(".")}: ${text}`);
  };
  const task = {
    ...(!("provisionerId" in rest) && { taskQueueId }),
    ...rest,
    extra: withGraphName(rest["extra"], graph),
    ...place,
    created: new Date(now).toISOString(),
    deadline: timeOf("deadline", day),
    expires: timeOf("expires", 28 * day),
    payload: resolveFromNow(written, now, onInvalidTime),
    metadata: {
      name: truncate(name, 255),
      description: textOf(description) ?? truncate(`${name}, of the graph ${graph}`, 32_768),
      owner: localOwner(),
      source: rootUrl,
      ...membersOf(metadata),
    },
  };
  const properties = { ...TaskDefinitionRequest.properties, payload: payloadSchemaOf(written) };
  const plain = plainValue(task, { properties }, ([first = "", ...others], text) =>
    addProblem(first === "payload" ? inFile(others) : [first, ...others], text),
  );
  // Other members of the file are passed on unchecked: the queue validates them, and its faults are reported by task name.
  const definition = plain as TaskDefinitionRequest;
  if (timesAreValid && (commands || command === undefined))
    for (const { path, text } of checkPayload(definition.payload, {
      ...task,
      extra: membersOf(task.extra),
    })) {
      const place = inFile(path);
      addProblem(place, place[0] === "payload" ? text : text.replace(/^payload\./, ""));
    }
  return definition;
}

const ignore = (): void => undefined;

/** Runs a string in a shell that stops at the first failure, as users expect of several lines. */
function commandsOf(command: unknown): readonly (readonly string[])[] | undefined {
  const script = textOf(command);
  if (script !== undefined) return [["sh", "-ec", script]];
  if (!Array.isArray(command) || command.length === 0) return undefined;
  const words = textsOf(command);
  if (words) return [words];
  const all = command.flatMap((line: unknown) => {
    const words = textsOf(line);
    return words && words.length > 0 ? [words] : [];
  });
  return all.length === command.length ? all : undefined;
}

function secondsOf(value: unknown, addProblem: AddProblem): unknown {
  if (value === undefined) return 3600;
  if (value instanceof WrittenScalar && typeof value.value === "number") return value;
  try {
    return parseSeconds(textOf(value) ?? "null");
  } catch (error) {
    addProblem(["maxRunTime"], messageOf(error).replace("--max-run-time", "maxRunTime"));
    return 3600;
  }
}

/** Formats a value of the file for a message. */
const shown = (value: unknown): string =>
  truncate(textOf(value) ?? JSON.stringify(plainValue(value, undefined, ignore)), 60);

/** Adds the name of the graph to `extra`, from which `taskyard group list` reads it. The queue checks other values. */
function withGraphName(extra: unknown = {}, graph: string): unknown {
  if (!isMembers(extra)) return extra;
  return { ...extra, taskyard: { ...membersOf(extra["taskyard"]), graph: truncate(graph, 255) } };
}

const membersOf = (value: unknown): Members => (isMembers(value) ? value : {});

/** Converts numbers and booleans to their text, whatever the schema of the payload: variables are strings. */
const textMembers = (env: Members): Members =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [name, textOf(value) ?? value]));
