// What the end of a task means: an exit status, and words where it is not the command's own.
import { constants } from "node:os";
import type { TaskStatus } from "../../api/queue/status.ts";
import { exitStatus } from "../cli-error.ts";

/** What the lines of the worker said of the commands of a run. */
export interface CommandEnds {
  /** Takes a line of the worker's. */
  note(line: string): void;
  /** A new run begins. */
  reset(): void;
  /** How many commands ended. */
  readonly count: number;
  /** The exit status of the last one, as shells count: 128 and more for signals. */
  readonly last: number | undefined;
  /** The last error that the worker told. */
  readonly error: string | undefined;
}

// The commands may print such lines as well, but the worker's own comes after all that they wrote; and whether
// the task failed at all is the queue's word, not the log's.
const exitLine = /^\[taskcluster [^\]]*\]\s+Exit Code: (-?\d+)$/;
const errorLine = /^\[taskcluster:error\] (?:signal: (SIG\w+)|(.+))$/;

export function commandEnds(): CommandEnds {
  let count = 0;
  let last: number | undefined;
  let error: string | undefined;
  return {
    note(line) {
      const code = exitLine.exec(line)?.[1];
      if (code !== undefined) [count, last] = [count + 1, Number(code)];
      const [, signal, text] = errorLine.exec(line) ?? [];
      error = text ?? error;
      const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
      if (number !== undefined) last = 128 + number;
    },
    reset: () => void ([count, last, error] = [0, undefined, undefined]),
    get count() {
      return count;
    },
    get last() {
      return last;
    },
    get error() {
      return error;
    },
  };
}

export interface Outcome {
  readonly exitStatus: number;
  /** Why the exit status is not simply the command's. */
  readonly explanation?: string;
}

/** `commands` is how many the task has; the last one is the user's. */
export function outcomeOf(
  status: TaskStatus,
  { count, last, error }: Pick<CommandEnds, "count" | "last" | "error">,
  commands: number,
): Outcome {
  if (status.state === "completed") return { exitStatus: exitStatus.ok };
  const failure = (explanation: string): Outcome => ({ exitStatus: exitStatus.failure, explanation });
  if (status.state === "exception") return failure(explainException(status, error ?? "see the log"));
  // Where the command before the user's worked, it ended with 0, whatever became of the user's then.
  if (count < commands && commands > 1 && last !== 0) {
    return failure("the source could not be brought to the worker: see the log");
  }
  if (last !== undefined && last > 0) return { exitStatus: last };
  return failure(`the task failed, and not by its command: ${error ?? "see the log"}`);
}

function explainException(status: TaskStatus, details: string): string {
  const run = status.runs.at(-1);
  const { taskQueueId } = status;
  switch (run?.reasonResolved) {
    case "canceled":
      return "the task was canceled";
    case "deadline-exceeded":
      return run.started === undefined
        ? `no worker of ${taskQueueId} took the task before its deadline`
        : "the task was not done before its deadline";
    case "claim-expired":
      return "the worker vanished while it ran the task, and so did every worker that tried again";
    case "worker-shutdown":
      return "the worker was stopped while it ran the task, and the task has no retries left";
    case "malformed-payload":
      return `the worker does not understand the task: ${details}`;
    case "resource-unavailable":
      return `something that the task needs could not be had: ${details}`;
    case "internal-error":
      return `the worker failed, through no fault of the task: ${details}`;
    default:
      return `the task ended without a verdict (${run?.reasonResolved ?? "no run"})`;
  }
}
