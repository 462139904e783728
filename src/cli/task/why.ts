// `taskyard task why`: why a task is where it is, and what can be done about it.
import type { Reason, Why } from "../../api/queue/why.ts";
import { exitStatus } from "../cli-error.ts";
import { sayLines } from "../columns.ts";
import { command, jsonOption } from "../command.ts";
import { sayJson } from "../io.ts";
import { painter, type Painter } from "../paint.ts";
import { connectTarget } from "../target.ts";
import { readId } from "../task-id.ts";
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
    const taskId = readId(args[0]);
    const { queue } = await connectTarget(io);
    const why = await queue.why({ taskId });
    if (options.json) sayJson(io.stdout, why);
    else sayLines(io.stdout, describe(why, painter(io.stdout, io.env)));
    return exitStatus.ok;
  },
});

/** Dependencies that are shown; `--json` has them all. */
const SHOWN = 20;
const ADVICE = 6;

function describe(why: Why, paint: Painter): string[] {
  const isEdge = (reason: Reason): boolean => "depth" in reason;
  const edges = why.reasons.filter(isEdge).length;
  let shown = 0;
  const lines = why.reasons.flatMap((reason): string[] => {
    if (!isEdge(reason)) return [textOf(why, reason)];
    shown++;
    if (shown <= SHOWN) return [textOf(why, reason)];
    return shown === edges ? [`    … and ${edges - SHOWN} more, which --json shows`] : [];
  });
  const advice = adviceFor(why);
  return [
    `${paint.bold(why.taskId)}  ${stateText(why.state, paint)} in ${why.taskQueueId}`,
    ...lines,
    ...(advice.length === 0 ? [] : ["", "What to do:", ...advice.map((line) => `  ${line}`)]),
  ];
}

/** A reason on a line: dependencies indented as they hang on each other, what is about another task with its id. */
function textOf(why: Why, reason: Reason): string {
  if ("depth" in reason) return `${"  ".repeat(Math.min(reason.depth, 8) + 1)}${reason.summary}`;
  const isOwn = reason.taskId === why.taskId || reason.summary.includes(reason.taskId);
  return `  ${isOwn ? "" : `${reason.taskId}: `}${reason.summary}`;
}

/** What a person may do, without repeats; nothing where all that helps is to wait. */
function adviceFor({ taskId, reasons }: Why): string[] {
  // Deepest first: that is the order in which they have to run again.
  const failed = reasons.filter(({ code }) => code === "dependency-failed").toReversed();
  const advice = [...failed, ...reasons.filter(({ code }) => code !== "dependency-failed")].flatMap(
    (reason) => adviceOn(taskId, reason) ?? [],
  );
  const all = [...new Set(advice)];
  return all.length <= ADVICE ? all : [...all.slice(0, ADVICE), `… and ${all.length - ADVICE} more`];
}

function adviceOn(taskId: string, reason: Reason): string | undefined {
  switch (reason.code) {
    case "dependency-failed":
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
      return reason.workerId === undefined
        ? `taskyard task rerun ${taskId}`
        : `taskyard task log ${taskId}; taskyard task rerun ${taskId}`;
    default:
      return undefined;
  }
}
