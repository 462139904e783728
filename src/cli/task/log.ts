// `taskyard task log`.
import { CliError, exitStatus } from "../cli-error.ts";
import { command, runOption } from "../command.ts";
import { createLogWriter } from "../log/log-writer.ts";
import { readLog, usualLogNames, type LogNames } from "../log/read-log.ts";
import { watchTask } from "../log/task-changes.ts";
import { colorsFor } from "../colors.ts";
import { connectTarget } from "../target.ts";
import { parseId } from "../parse-id.ts";
import { runIdOf } from "./artifact-access.ts";

export const logCommand = command({
  name: "task log",
  summary: "Print the log of a task.",
  details: [
    "The lines of the worker are dim on a terminal; those of the task's commands are as they were written. Following goes " +
      "on over broken connections, and ends with the run.",
  ],
  args: [{ name: "TASK_ID" }],
  options: {
    follow: { type: "flag", short: "f", summary: "Wait for the task and go on until the run is over." },
    run: runOption,
    quiet: { type: "flag", short: "q", summary: "Only what the task's commands wrote." },
  },
  examples: [
    { command: "taskyard task log ID", says: "What has been written so far." },
    { command: "taskyard task log -f ID", says: "As it is written." },
  ],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const client = await connectTarget(io);
    const stop = new AbortController();
    const restore = io.onStop(() => stop.abort());
    const { signal } = stop;
    try {
      const watch = watchTask(client, taskId, signal);
      const { payload } = await client.queue.task({ taskId }, { signal });
      const runId = runIdOf(options.run) ?? (await latestRun());
      if (runId === undefined) throw new CliError(`${taskId} has not run yet: wait for it with -f`);
      const writer = createLogWriter({
        output: io.stdout,
        colors: colorsFor(io.stdout, io.env),
        quiet: options.quiet,
      });
      const log = readLog({
        client,
        taskId,
        runId,
        names: namesIn(payload),
        watch,
        soFar: !options.follow,
        signal,
      });
      for await (const bytes of log) await writer.write(bytes);
      await writer.end();
      return exitStatus.ok;

      /** A task that waits for others has no run yet; whoever follows it waits as well. */
      async function latestRun(): Promise<number | undefined> {
        for (;;) {
          const { seen } = watch;
          const { status } = await client.queue.status({ taskId }, { signal });
          if (status.runs.length > 0) return status.runs.length - 1;
          if (!options.follow || status.state !== "unscheduled") return undefined;
          await watch.since(seen);
        }
      }
    } catch (error) {
      if (signal.aborted) return exitStatus.interrupted;
      throw error;
    } finally {
      stop.abort();
      restore();
    }
  },
});

/** The names of the logs, which a task may choose. */
function namesIn({ logs }: Readonly<Record<string, unknown>>): LogNames {
  if (typeof logs !== "object" || logs === null) return usualLogNames;
  const { live, backing }: { live?: unknown; backing?: unknown } = logs;
  return {
    live: typeof live === "string" ? live : usualLogNames.live,
    backing: typeof backing === "string" ? backing : usualLogNames.backing,
  };
}
