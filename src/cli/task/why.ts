// `taskyard task why`: why a task is where it is, and what can be done about it.
import type { Reason, Why } from "../../api/queue/why.ts";
import { exitStatus } from "../cli-error.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Client } from "../../client/connect.ts";
import { localTime, oneLine } from "../format.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLines } from "../io.ts";
import { colorsFor, type Colors } from "../colors.ts";
import { connectTarget } from "../target.ts";
import { parseId } from "../parse-id.ts";
import { stateText } from "./status.ts";

export const whyCommand = command({
  name: "task why",
  summary: "Say why a task is where it is, and what to do about it.",
  details: [
    "What it waits for, down to the roots; its place in the queue and how fast that is served; who runs it; how each run " +
      "ended. What the queue does not know, it says so.",
  ],
  args: [{ name: "TASK_ID" }],
  options: { json: { ...jsonOption, summary: "Print all reasons with their data." } },
  examples: [
    { command: "taskyard task why ID", says: "The reasons, the most important first." },
    {
      command: "taskyard task why --json ID | jq -r '.reasons[0].code'",
      says: "Just the kind of the first.",
    },
  ],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const { queue } = await connectTarget(io);
    const why = await queue.why({ taskId });
    if (options.json) writeJson(io.stdout, why);
    else writeLines(io.stdout, describe(why, await namesOf(queue, why), colorsFor(io.stdout, io.env)));
    return exitStatus.ok;
  },
});

/** What people call the tasks, by id; nothing where we may not know: who may see that a task is there may not read it. */
async function namesOf(queue: Client["queue"], { taskId, reasons }: Why): Promise<Names> {
  const ids = new Set([taskId, ...reasons.map((reason) => reason.taskId)]);
  try {
    const { tasks } = await queue.tasks({ taskIds: [...ids].slice(0, 1000) });
    return new Map(tasks.map((row) => [row.taskId, oneLine(row.task.metadata.name)]));
  } catch (error) {
    if (error instanceof ClientError && error.code === "InsufficientScopes") return new Map();
    throw error;
  }
}

type Names = ReadonlyMap<string, string>;

/** Dependencies that are shown; `--json` has them all. */
const SHOWN = 20;
const ADVICE = 6;

function describe(why: Why, names: Names, colors: Colors): string[] {
  const isEdge = (reason: Reason): boolean => "depth" in reason;
  const edges = why.reasons.filter(isEdge).length;
  let shown = 0;
  const lines = why.reasons.flatMap((reason): string[] => {
    if (!isEdge(reason)) return [textOf(why, reason, names)];
    shown++;
    if (shown <= SHOWN) return [textOf(why, reason, names)];
    return shown === edges ? [`    … and ${edges - SHOWN} more, which --json shows`] : [];
  });
  const advice = adviceFor(why);
  return [
    [colors.bold(why.taskId), names.get(why.taskId), `${stateText(why.state, colors)} in ${why.taskQueueId}`]
      .filter((part) => part !== undefined)
      .join("  "),
    ...lines,
    ...(advice.length === 0 ? [] : ["", "What to do:", ...advice.map((line) => `  ${line}`)]),
  ];
}

/** A reason on a line: dependencies indented as they hang on each other, what is about another task with its id. */
function textOf(why: Why, reason: Reason, names: Names): string {
  const { taskId } = reason;
  const name = names.get(taskId);
  const called = name === undefined || taskId === why.taskId ? taskId : `${taskId} (${name})`;
  const text = reason.summary
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, localTime)
    .replaceAll(taskId, () => called);
  if ("depth" in reason) return `${"  ".repeat(Math.min(reason.depth, 8) + 1)}${text}`;
  const isOwn = taskId === why.taskId || reason.summary.includes(taskId);
  return `  ${isOwn ? "" : `${called}: `}${text}`;
}

/** What a person may do, without repeats; nothing where all that helps is to wait. */
function adviceFor({ taskId, asked, reasons }: Why): string[] {
  // Deepest first: that is the order in which they have to run again.
  const failed = reasons.filter(({ code }) => code === "dependency-failed").toReversed();
  const advice = [...failed, ...reasons.filter(({ code }) => code !== "dependency-failed")].flatMap(
    (reason) => adviceOn(taskId, reason, asked) ?? [],
  );
  const all = [...new Set(advice)];
  return all.length <= ADVICE ? all : [...all.slice(0, ADVICE), `… and ${all.length - ADVICE} more`];
}

function adviceOn(taskId: string, reason: Reason, asked: string): string | readonly string[] | undefined {
  switch (reason.code) {
    case "dependency-failed":
      if (reason.deadline <= asked)
        return `create ${reason.taskId} anew, and what needs it: its deadline has passed, so it cannot be run again`;
      return `taskyard task rerun ${reason.taskId}   (after: taskyard task why ${reason.taskId})`;
    case "depends-on-itself":
      return `taskyard task rerun ${reason.taskId}   starts it by hand`;
    case "dependency-missing":
      return "create the task anew, without the dependency that is gone";
    case "no-worker":
      return `taskyard worker --task-queue ${reason.taskQueueId}   starts a worker here`;
    case "workers-quarantined":
      return `taskyard queue release ${reason.taskQueueId} WORKER   (those there are: taskyard queue workers ${reason.taskQueueId} --quarantined)`;
    case "deadline-passed":
    case "never-scheduled":
      return "create the task anew, with a later deadline";
    case "inconsistent":
      return "look at the watchdog's findings, or wait for it to put this right";
    case "resolved":
      if (reason.taskId !== taskId || reason.state === "completed") return undefined;
      return [
        ...(reason.workerId === undefined ? [] : [`taskyard task log ${taskId}`]),
        reason.deadline <= asked
          ? "create the task anew: its deadline has passed, so it cannot be run again"
          : `taskyard task rerun ${taskId}`,
      ];
    default:
      return undefined;
  }
}
