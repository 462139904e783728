// Shows a submitted task to whoever waits for it, to its end.
import type { TaskStatus } from "../../api/queue/status.ts";
import type { Client } from "../../client/connect.ts";
import { exitStatus, messageOf } from "../cli-error.ts";
import { timeBetween } from "../format.ts";
import { writeLine, type Io, type Output } from "../io.ts";
import { createLogWriter } from "../log/log-writer.ts";
import { colorsFor } from "../colors.ts";
import { startSpinner } from "../spinner.ts";
import { listArtifacts } from "../task/artifact-access.ts";
import { stateText } from "../task/status.ts";
import { artifactName } from "./definition.ts";
import { followTask } from "./follow-task.ts";
import { readFailureReport } from "./read-failure-report.ts";
import { outcomeOf, type RunOutcome } from "./run-outcome.ts";

export interface WatchedRun {
  readonly client: Client;
  readonly taskId: string;
  readonly taskQueueId: string;
  readonly commands: number;
  /** Paths that were asked for as artifacts. */
  readonly wanted: readonly string[];
  readonly io: Io;
  readonly quiet: boolean;
  readonly log: Output;
  /** Says something beside the log. */
  remark(text: string): void;
  /** Fires at Ctrl-C: the task is then canceled. */
  readonly interrupted: AbortSignal;
}

export interface RunEnd {
  readonly outcome: RunOutcome;
  readonly status: TaskStatus;
  readonly artifacts: readonly { readonly name: string; readonly url: string }[];
}

// Workers that wait take a task within milliseconds; after this long most likely none is there.
const lonelyMs = 10_000;

export async function watchRun(run: WatchedRun): Promise<RunEnd> {
  const { client, taskId, io, interrupted, remark } = run;
  const waiting = startSpinner(io, "waiting for a worker");
  const writer = createLogWriter({
    output: run.log,
    colors: colorsFor(run.log, io.env),
    quiet: run.quiet,
  });
  const lonely = setTimeout(() => {
    waiting.stop();
    remark(`no worker has taken the task yet; to start one: taskyard worker --task-queue ${run.taskQueueId}`);
  }, lonelyMs);
  const cancel = (): void => {
    waiting.stop();
    writeLine(io.stderr, `canceling ${taskId}; Ctrl-C again leaves at once`);
    client.queue
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
        clearTimeout(lonely);
        waiting.stop();
        await writer.end();
        if (runId > 0) remark(`run ${runId}: the one before was lost, and the task is tried again`);
      },
      onLog: (bytes) => writer.write(bytes),
    });
    await writer.end();
    waiting.stop();
    // A task that completed has no report.
    const report =
      status.state === "completed"
        ? undefined
        : await readFailureReport(client, taskId, status.runs.length - 1);
    return await conclude(run, status, outcomeOf(status, report, run.commands));
  } catch (error) {
    remark(`lost sight of task ${taskId}, which may go on: taskyard task log -f ${taskId}`);
    throw error;
  } finally {
    clearTimeout(lonely);
    waiting.stop();
    interrupted.removeEventListener("abort", cancel);
  }
}

async function conclude(run: WatchedRun, status: TaskStatus, ended: RunOutcome): Promise<RunEnd> {
  const { client, taskId, io, interrupted, remark } = run;
  const last = status.runs.at(-1);
  // Whoever pressed Ctrl-C knows why; the task may have ended by itself just before, and then its end counts.
  const ours = interrupted.aborted && last?.reasonResolved === "canceled";
  const outcome: RunOutcome = ours ? { exitStatus: exitStatus.interrupted } : ended;
  const colors = colorsFor(io.stderr, io.env);
  const how = outcome.exitStatus === exitStatus.ok ? "" : `, exit status ${outcome.exitStatus}`;
  const state = ours ? "canceled" : stateText(status.state, colors);
  const when =
    last?.started === undefined ? "before it began" : `after ${timeBetween(last.started, last.resolved)}`;
  remark(`task ${taskId} ${state} ${when}${how}`);
  if (outcome.explanation !== undefined)
    writeLine(io.stderr, `${colors.red("error:")} ${outcome.explanation}`);

  const names = run.wanted.map(artifactName);
  const isWanted = (name: string): boolean => names.some((n) => name === n || name.startsWith(`${n}/`));
  const all = names.length === 0 ? [] : await listArtifacts(client, taskId, undefined);
  const artifacts = all
    .filter(({ name, storageType }) => storageType !== "error" && isWanted(name))
    .map(({ name }) => ({ name, url: client.queue.getLatestArtifact.url({ taskId, name }) }));
  for (const { name, url } of artifacts) remark(`artifact ${name}  ${url}`);
  return { outcome, status, artifacts };
}
