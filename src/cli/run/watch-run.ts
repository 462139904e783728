// Shows the progress and the result of a submitted task.
import type { TaskStatus } from "../../api/queue/status.ts";
import type { Client } from "../../client/connect.ts";
import { exitStatus, messageOf } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { timeBetween } from "../format.ts";
import { writeLine, type Io, type Output } from "../io.ts";
import { explainWait } from "../log/explain-wait.ts";
import { createLogWriter } from "../log/log-writer.ts";
import { startSpinner } from "../spinner.ts";
import type { StopRequest } from "../stop-request.ts";
import { listArtifacts } from "../task/artifact-access.ts";
import { stateText } from "../task/status.ts";
import { artifactName } from "./definition.ts";
import { followTask } from "./follow-task.ts";
import { readFailureReport } from "./read-failure-report.ts";
import { outcomeOf, type RunOutcome } from "./run-outcome.ts";

export interface WatchedRun {
  readonly client: Client;
  readonly taskId: string;
  /** Paths requested as artifacts. */
  readonly wanted: readonly string[];
  readonly io: Io;
  readonly quiet: boolean;
  readonly log: Output;
  /** Prints a notice alongside the log, unless the user disabled notices. */
  notice(text: string): void;
  /** The task is canceled on the first request. */
  readonly stop: StopRequest;
}

export interface RunEnd {
  readonly outcome: RunOutcome;
  readonly status: TaskStatus;
  readonly artifacts: readonly { readonly name: string; readonly url: string }[];
}

export async function watchRun(run: WatchedRun): Promise<RunEnd> {
  const { client, taskId, io, notice } = run;
  const interrupted = run.stop.signal;
  const waiting = startSpinner(io, "waiting for a worker");
  const writer = createLogWriter({
    output: run.log,
    colors: colorsFor(run.log, io.env),
    quiet: run.quiet,
  });
  const started = new AbortController();
  explainWait({
    client,
    taskId,
    // Not a notice: with --quiet, nothing else would report that the task cannot run.
    report(text) {
      waiting.stop();
      writeLine(io.stderr, text);
    },
    signal: started.signal,
    clock: io.clock,
  });
  let canceled: Promise<unknown> | undefined;
  const cancel = (): void => {
    waiting.stop();
    writeLine(io.stderr, `canceling ${taskId}; press Ctrl-C again to exit immediately`);
    canceled = client.queue
      .cancelTask({ taskId })
      .catch((error: unknown) => writeLine(io.stderr, `could not cancel ${taskId}: ${messageOf(error)}`));
  };
  if (interrupted.aborted) cancel();
  else interrupted.addEventListener("abort", cancel, { once: true });

  try {
    const status = await followTask({
      client,
      taskId,
      async onRun(runId) {
        started.abort();
        waiting.stop();
        await writer.end();
        if (runId > 0) notice(`run ${runId}: the previous run was lost, and the queue retries the task`);
      },
      onLog: (bytes) => writer.write(bytes),
      onLogProblem: notice,
    });
    await writer.end();
    waiting.stop();
    // A task that completed has no report.
    const report =
      status.state === "completed"
        ? undefined
        : await readFailureReport(client, taskId, status.runs.length - 1);
    return await conclude(run, status, outcomeOf(status, report));
  } catch (error) {
    // The log could not be written any more, for example.
    if (canceled) await canceled;
    else notice(`lost contact with task ${taskId}, which may continue: taskyard task log -f ${taskId}`);
    throw error;
  } finally {
    started.abort();
    waiting.stop();
    interrupted.removeEventListener("abort", cancel);
  }
}

async function conclude(run: WatchedRun, status: TaskStatus, taskOutcome: RunOutcome): Promise<RunEnd> {
  const { client, taskId, io, stop, notice } = run;
  const last = status.runs.at(-1);
  // Ctrl-C needs no explanation. If the task ended just before it, its own outcome counts.
  const canceledHere = stop.signal.aborted && last?.reasonResolved === "canceled";
  const outcome: RunOutcome = canceledHere ? { exitStatus: stop.status() } : taskOutcome;
  const colors = colorsFor(io.stderr, io.env);
  const how = outcome.exitStatus === exitStatus.ok ? "" : `, exit status ${outcome.exitStatus}`;
  const state = canceledHere ? "canceled" : stateText(status.state, colors);
  const when =
    last?.started === undefined ? "before it started" : `after ${timeBetween(last.started, last.resolved)}`;
  notice(`task ${taskId} ${state} ${when}${how}`);
  if (outcome.explanation !== undefined)
    writeLine(io.stderr, `${colors.red("error:")} ${outcome.explanation}`);

  const names = run.wanted.map(artifactName);
  const isWanted = (name: string): boolean => names.some((n) => name === n || name.startsWith(`${n}/`));
  const all = names.length === 0 ? [] : await listArtifacts(client, taskId, undefined);
  const artifacts = all
    .filter(({ name, storageType }) => storageType !== "error" && isWanted(name))
    .map(({ name }) => ({ name, url: client.queue.getLatestArtifact.url({ taskId, name }) }));
  for (const { name, url } of artifacts) notice(`artifact ${name}  ${url}`);
  return { outcome, status, artifacts };
}
