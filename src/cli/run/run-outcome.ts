// Maps the end of a task to the exit status of `taskyard run`, and explains a status that is not the command's own.
import { constants } from "node:os";
import type { TaskStatus } from "../../api/queue/status.ts";
import type { FailureReport } from "../../worker/failure-report.ts";
import { exitStatus } from "../cli-error.ts";

export interface RunOutcome {
  readonly exitStatus: number;
  /** Why the exit status is not the command's. */
  readonly explanation?: string;
}

/** Returns the outcome of a task with one command. */
export function outcomeOf(status: TaskStatus, report: FailureReport | undefined): RunOutcome {
  if (status.state === "completed") return { exitStatus: exitStatus.ok };
  const failure = (explanation: string): RunOutcome => ({ exitStatus: exitStatus.failure, explanation });
  const details = lastLine(report?.messages.at(-1)) ?? "see the log";
  if (status.state === "exception") return failure(explainException(status, details));
  if (report === undefined)
    return failure(
      "the task failed, and its worker did not report the exit status of the command: see the log",
    );
  const last = report.commands.at(-1);
  const own = last && exitStatusOf(last);
  if (own !== undefined && own > 0) return { exitStatus: own };
  return failure(`the task failed: ${details}`);
}

/** Returns the exit status as a shell does: for a signal, 128 plus its number. */
function exitStatusOf({ exitCode, signal }: FailureReport["commands"][number]): number | undefined {
  if (exitCode !== null) return exitCode;
  const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
  return number === undefined ? undefined : 128 + number;
}

const lastLine = (text: string | undefined): string | undefined => text?.trimEnd().split("\n").at(-1);

function explainException(status: TaskStatus, details: string): string {
  const run = status.runs.at(-1);
  const { taskQueueId } = status;
  switch (run?.reasonResolved) {
    case "canceled":
      return "the task was canceled";
    case "deadline-exceeded":
      return run.started === undefined
        ? `no worker of ${taskQueueId} claimed the task before its deadline`
        : "the task did not finish before its deadline";
    case "claim-expired":
      return "the worker disappeared while it ran the task, and no retries are left";
    case "worker-shutdown":
      return "the worker was stopped while it ran the task, and no retries are left";
    case "malformed-payload":
      return `the worker rejected the task's payload: ${details}`;
    case "resource-unavailable":
      return `a resource that the task needs was not available: ${details}`;
    case "internal-error":
      return `the worker failed, through no fault of the task: ${details}`;
    default:
      return `the task ended without a result (${run?.reasonResolved ?? "no run"})`;
  }
}
