// The reason why a run did not complete, as JSON for the program that created the task. Opt-in: the task names the artifact
// in its `extra`, which other workers ignore and which does not affect the payload.
import type { TaskDefinition } from "../api/queue/task.ts";

/** Content of the artifact: JSON. */
export interface FailureReport {
  /** The commands that were executed, in order. Both members are null for a command that was not started or was aborted. */
  readonly commands: readonly {
    readonly exitCode: number | null;
    /** Such as `SIGKILL`. */
    readonly signal: string | null;
  }[];
  /** The errors that ended the run, as in the log. The last one is the most specific. */
  readonly messages: readonly string[];
}

/** The member of a task's `extra` that requests a report: an artifact of this name. */
export const failureReportExtra = (name: string) => ({ taskyard: { failureReport: name } });

/** Returns the name of the artifact that the task requests, or undefined if it requests none. */
export function failureReportName({ extra }: Pick<TaskDefinition, "extra">): string | undefined {
  const { taskyard } = extra;
  if (typeof taskyard !== "object" || taskyard === null || !("failureReport" in taskyard)) return undefined;
  const { failureReport } = taskyard;
  return typeof failureReport === "string" ? failureReport : undefined;
}

/** Checks a value that was read from an artifact. Returns undefined if it is not a report. */
export function parseFailureReport(value: unknown): FailureReport | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { commands, messages }: { commands?: unknown; messages?: unknown } = value;
  if (!Array.isArray(commands) || !commands.every(isCommand)) return undefined;
  if (!Array.isArray(messages) || !messages.every((message) => typeof message === "string")) return undefined;
  return { commands, messages };
}

function isCommand(value: unknown): value is FailureReport["commands"][number] {
  if (typeof value !== "object" || value === null) return false;
  const { exitCode, signal }: { exitCode?: unknown; signal?: unknown } = value;
  return (
    (exitCode === null || Number.isSafeInteger(exitCode)) && (signal === null || typeof signal === "string")
  );
}
