// `taskyard task log`.
import type { TaskStatus } from "../../api/queue/status.ts";
import type { Client } from "../../client/connect.ts";
import { CliError, exitStatus } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { command, runOption } from "../command.ts";
import { explainWait } from "../log/explain-wait.ts";
import { createLogWriter } from "../log/log-writer.ts";
import { defaultLogNames, readLog, type LogNames } from "../log/read-log.ts";
import { isResolved, statusWhen, watchTask } from "../log/task-changes.ts";
import { writeLine } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { connectTarget } from "../target.ts";
import { untilStopped } from "../stop-request.ts";
import { outcomeOf, type RunOutcome } from "../run/run-outcome.ts";
import { readFailureReport } from "../run/read-failure-report.ts";
import { parseRunId } from "./artifact-access.ts";

export const logCommand = command({
  name: "task log",
  summary: "Print the log of a task.",
  details: [
    "Prints what has been written so far, or with --follow everything until the run ends; lost connections are resumed. On a " +
      "terminal, the worker's own lines are dim.",
    "Exits with 1 if there is no log. With --follow, exits as `taskyard run` does: with 0 if the run completed, with the status " +
      "of the command if the task was created by `taskyard run`, and otherwise with 1.",
  ],
  args: [{ name: "TASK_ID" }],
  options: {
    follow: {
      type: "flag",
      short: "f",
      summary: "Wait for the task to start, and print its log until the run ends.",
    },
    run: runOption,
    quiet: { type: "flag", short: "q", summary: "Print only the output of the task's commands." },
  },
  examples: [
    { command: "taskyard task log ID", description: "Print the log so far." },
    { command: "taskyard task log -f ID", description: "Follow the log." },
  ],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const client = await connectTarget(io);
    return untilStopped(io, async ({ signal }) => {
      const changes = watchTask(client, taskId, signal);
      const { payload } = await client.queue.task({ taskId }, { signal });
      if (options.follow)
        explainWait({
          client,
          taskId,
          report: (text) => writeLine(io.stderr, text),
          signal,
          clock: io.clock,
        });
      const runId = parseRunId(options.run) ?? (await latestRun());
      if (runId === undefined) throw new CliError(`${taskId} has no run yet: use -f to wait for it`);
      const writer = createLogWriter({
        output: io.stdout,
        colors: colorsFor(io.stdout, io.env),
        quiet: options.quiet,
      });
      let missing: string | undefined;
      const log = readLog({
        client,
        taskId,
        runId,
        names: logNamesIn(payload),
        changes,
        soFar: !options.follow,
        onUnreachable: (text) => writeLine(io.stderr, text),
        onMissing: (text) => (missing = text),
        signal,
      });
      for await (const bytes of log) await writer.write(bytes);
      await writer.end();
      if (missing !== undefined) writeLine(io.stderr, `error: ${missing}. See: taskyard task why ${taskId}`);
      if (!options.follow) return missing === undefined ? exitStatus.ok : exitStatus.failure;
      const status = await statusWhen({ client, taskId, changes, signal }, ({ runs }) =>
        isResolved(runs[runId]?.state ?? "exception"),
      );
      const outcome = await outcomeOfRun(client, status, runId);
      if (outcome.explanation !== undefined) writeLine(io.stderr, `error: ${outcome.explanation}`);
      return outcome.exitStatus;

      /** A task with unsatisfied dependencies has no run yet. With --follow, waits for one. */
      async function latestRun(): Promise<number | undefined> {
        for (;;) {
          const { count } = changes;
          const { status } = await client.queue.status({ taskId }, { signal });
          if (status.runs.length > 0) return status.runs.length - 1;
          if (!options.follow || status.state !== "unscheduled") return undefined;
          await changes.after(count);
        }
      }
    });
  },
});

/** Returns the outcome that `taskyard run` would have, if this run were the last one of its task. */
async function outcomeOfRun(client: Client, status: TaskStatus, runId: number): Promise<RunOutcome> {
  const { taskId } = status;
  const run = status.runs[runId];
  const state = run?.state ?? status.state;
  if (state === "exception" && status.runs.length > runId + 1)
    return {
      exitStatus: exitStatus.failure,
      explanation: `run ${runId} was lost (${run?.reasonResolved}), and another one was started: taskyard task log -f ${taskId}`,
    };
  const report = state === "failed" ? await readFailureReport(client, taskId, runId) : undefined;
  return outcomeOf({ ...status, state, runs: status.runs.slice(0, runId + 1) }, report);
}

/** Returns the artifact names of the logs, which the payload may change. */
function logNamesIn({ logs }: Readonly<Record<string, unknown>>): LogNames {
  if (typeof logs !== "object" || logs === null) return defaultLogNames;
  const { live, backing }: { live?: unknown; backing?: unknown } = logs;
  return {
    live: typeof live === "string" ? live : defaultLogNames.live,
    backing: typeof backing === "string" ? backing : defaultLogNames.backing,
  };
}
