// `taskyard task why`.
import type { Reason, Why } from "../../api/queue/why.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Client } from "../../client/connect.ts";
import { exitStatus } from "../cli-error.ts";
import { colorsFor, type Colors } from "../colors.ts";
import { command, jsonOption } from "../command.ts";
import { localTime, oneLine } from "../format.ts";
import { writeJson, writeLines } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { connectTarget } from "../target.ts";
import { stateText } from "./status.ts";

export const whyCommand = command({
  name: "task why",
  summary: "Explain the state of a task, and what to do about it.",
  details: [
    "Shows the unsatisfied dependencies down to their roots, the position in the queue and how fast the queue is served, the " +
      "worker that runs the task, and how each run ended. What the queue does not record is reported as unknown.",
  ],
  args: [{ name: "TASK_ID" }],
  options: { json: { ...jsonOption, summary: "Print all reasons with their data as JSON." } },
  examples: [
    { command: "taskyard task why ID", description: "Show the reasons, most important first." },
    {
      command: "taskyard task why --json ID | jq -r '.reasons[0].code'",
      description: "Print only the code of the most important reason.",
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

type Names = ReadonlyMap<string, string>;

/** Returns the names of the tasks by id. Empty without the scope to read definitions, which `why` does not require. */
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

/** Dependencies and advice shown. `--json` prints all dependencies. */
const MAX_DEPENDENCIES = 20;
const MAX_ADVICE = 6;

function describe(why: Why, names: Names, colors: Colors): string[] {
  const isDependency = (reason: Reason): boolean => "depth" in reason;
  const dependencies = why.reasons.filter(isDependency).length;
  let shown = 0;
  const lines = why.reasons.flatMap((reason): string[] => {
    if (!isDependency(reason)) return [textOf(why, reason, names)];
    shown++;
    if (shown <= MAX_DEPENDENCIES) return [textOf(why, reason, names)];
    if (shown < dependencies) return [];
    return [`    … and ${dependencies - MAX_DEPENDENCIES} more; --json prints all`];
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

/** Formats a reason as a line. Dependencies are indented by depth; a reason about another task starts with its id. */
function textOf(why: Why, reason: Reason, names: Names): string {
  const { taskId } = reason;
  const name = names.get(taskId);
  const called = name === undefined || taskId === why.taskId ? taskId : `${taskId} (${name})`;
  const text = reason.summary
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, localTime)
    .replaceAll(taskId, () => called);
  if ("depth" in reason) return `${"  ".repeat(Math.min(reason.depth, 8) + 1)}${text}`;
  const namesTask = taskId === why.taskId || reason.summary.includes(taskId);
  return `  ${namesTask ? "" : `${called}: `}${text}`;
}

/** Returns the most important reason as text, with what to do about it. */
export function mainReason(why: Why): { readonly code: string; readonly text: string } {
  const [reason] = why.reasons;
  if (!reason) return { code: why.state, text: `the task is ${why.state}` };
  const [advice] = adviceFor(why);
  const text = textOf(why, reason, new Map()).trim();
  return { code: reason.code, text: advice === undefined ? text : `${text}\n  ${advice}` };
}

/** Lists what the user can do, without duplicates. Empty if the user can only wait. */
function adviceFor({ taskId, asked, reasons }: Why): string[] {
  // Deepest first: they must be rerun in this order.
  const failed = reasons.filter(({ code }) => code === "dependency-failed").toReversed();
  const advice = [...failed, ...reasons.filter(({ code }) => code !== "dependency-failed")].flatMap(
    (reason) => adviceOn(taskId, reason, asked) ?? [],
  );
  const all = [...new Set(advice)];
  return all.length <= MAX_ADVICE
    ? all
    : [...all.slice(0, MAX_ADVICE), `… and ${all.length - MAX_ADVICE} more`];
}

function adviceOn(taskId: string, reason: Reason, asked: string): string | readonly string[] | undefined {
  switch (reason.code) {
    case "dependency-failed":
      if (reason.deadline <= asked)
        return `create new tasks for ${reason.taskId} and its dependents: its deadline has passed, so it cannot be rerun`;
      if (reason.reasonResolved === "malformed-payload")
        return `create new tasks for ${reason.taskId} and its dependents: its payload is malformed, so a rerun would fail in the same way`;
      return `taskyard task rerun ${reason.taskId}   (after: taskyard task why ${reason.taskId})`;
    case "depends-on-itself":
      return `taskyard task rerun ${reason.taskId}   starts it despite the cycle`;
    case "dependency-missing":
      return "create a new task without the missing dependency";
    case "no-worker":
      return `taskyard worker --task-queue ${reason.taskQueueId}   starts a worker on this machine`;
    case "workers-quarantined":
      return `taskyard queue release ${reason.taskQueueId} WORKER   (list: taskyard queue workers ${reason.taskQueueId} --quarantined)`;
    case "deadline-passed":
    case "never-scheduled":
      return "create a new task with a later deadline";
    case "inconsistent":
      return "check the findings of the watchdog, or wait until it repairs this";
    case "resolved":
      if (reason.taskId !== taskId || reason.state === "completed") return undefined;
      return [
        ...(reason.workerId === undefined ? [] : [`taskyard task log ${taskId}`]),
        reason.reasonResolved === "malformed-payload"
          ? "create a new task with a valid payload: see the log for what is wrong; a rerun would fail in the same way"
          : reason.deadline <= asked
            ? "create a new task: the deadline has passed, so this one cannot be rerun"
            : `taskyard task rerun ${taskId}`,
      ];
    default:
      return undefined;
  }
}
