// Shows the progress of a group until it is finished, and its outcome.
import { counted } from "../../lib/counted.ts";
import type { Client } from "../../client/connect.ts";
import { exitStatus, messageOf } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { timeBetween } from "../format.ts";
import { writeJson, writeLine, writeLines, type Io } from "../io.ts";
import type { StopRequest } from "../stop-request.ts";
import { drawCriticalPath } from "./draw-critical-path.ts";
import { printFailedLogs } from "./failed-logs.ts";
import { followGraph, type EventStream, type LookUp } from "./follow-graph.ts";
import type { GraphProgress } from "./graph-progress.ts";
import { watchInactivity } from "./inactivity.ts";
import { countsText, startProgressDisplay } from "./progress-display.ts";

export interface WatchedGroup {
  readonly client: Client;
  readonly io: Io;
  readonly name: string;
  readonly taskGroupId: string;
  readonly progress: GraphProgress;
  /** Events since before the tasks were created or listed. They end when `signal` aborts. */
  readonly events: EventStream;
  readonly signal: AbortSignal;
  readonly stop: StopRequest;
  /** Whether a request to stop cancels the tasks. Otherwise it only ends the watching. */
  readonly cancels: boolean;
  /** Finds tasks that were added to the group meanwhile. */
  readonly lookUp?: LookUp;
  readonly json: boolean;
}

const quietMs = 10_000;

/** Resolves to the exit status. */
export async function watchGroup(group: WatchedGroup): Promise<number> {
  const { client, io, name, taskGroupId, progress, stop, signal, json } = group;
  const started = new Date().toISOString();
  const display = startProgressDisplay(io, name, progress);
  const followed = new AbortController();
  const onActivity = watchInactivity({
    ping: () => client.queue.ping({ retries: 0, timeoutMs: quietMs }),
    unservedQueue: () => unservedQueue(progress),
    report: (text) => display.print(text),
    quietMs,
    signal: followed.signal,
  });
  let isCanceled = false;
  const cancel = (): void => {
    isCanceled = true;
    display.print("canceling all unresolved tasks; press Ctrl-C again to exit immediately");
    cancelGroup(client, taskGroupId).catch((error: unknown) => {
      isCanceled = false;
      display.print(`could not cancel group ${taskGroupId}: ${messageOf(error)}`);
    });
  };
  if (group.cancels) {
    if (stop.signal.aborted) cancel();
    else stop.signal.addEventListener("abort", cancel, { once: true });
  }
  try {
    await followGraph(
      {
        ...group,
        // After a cancellation, tasks that wait for a failed one are resolved too.
        isFinished: () => (isCanceled ? progress.isResolved() : progress.isFinished()),
        onChange(task) {
          onActivity();
          // Ctrl-C needs no list of what it canceled.
          display.update(stop.signal.aborted && task.state === "exception" ? undefined : task);
        },
      },
      group.events,
      signal,
    );
    // The watching has ended, and not the graph.
    signal.throwIfAborted();
  } catch (error) {
    if (!signal.aborted)
      display.print(
        `lost contact with group ${taskGroupId}, which may continue: taskyard group watch ${taskGroupId}`,
      );
    throw error;
  } finally {
    followed.abort();
    display.stop();
    stop.signal.removeEventListener("abort", cancel);
  }
  if (!stop.signal.aborted) await printFailedLogs(client, io, progress);
  const status = exitStatusOf(progress, stop);
  const duration = timeBetween(started, new Date().toISOString());
  writeLine(io.stderr, `${name}: ${counted(progress.total, "task")} in ${duration}: ${resultText(progress)}`);
  if (json) writeJson(io.stdout, resultOf(group, status));
  else await printCriticalPath(client, taskGroupId, io);
  return status;
}

function unservedQueue({ counts, all }: GraphProgress): string | undefined {
  if (counts.running > 0) return undefined;
  for (const { state, task } of all()) if (state === "pending") return task.taskQueueId;
  return undefined;
}

/** A group must be sealed before it can be canceled. Nothing else adds tasks to a graph. */
async function cancelGroup({ queue }: Client, taskGroupId: string): Promise<void> {
  await queue.sealTaskGroup({ taskGroupId });
  await queue.cancelTaskGroup({ taskGroupId });
}

function exitStatusOf({ counts, total, all }: GraphProgress, stop: StopRequest): number {
  if (counts.completed === total) return exitStatus.ok;
  const wasCanceled = [...all()].some(({ reason }) => reason === "canceled");
  return stop.signal.aborted && wasCanceled ? stop.status() : exitStatus.failure;
}

/**
 * Formats the final counts. If all exceptions have the same reason, shows that reason. Tasks that still wait never run
 * unless the failed ones are rerun.
 */
function resultText({ counts, all }: GraphProgress): string {
  const reasons = new Set([...all()].flatMap(({ state, reason }) => (state === "exception" ? [reason] : [])));
  const [why = "exception"] = reasons.size === 1 ? reasons : [];
  return countsText(counts)
    .replace("exception", why)
    .replace("waiting", "not run because of failed dependencies");
}

async function printCriticalPath({ queue }: Client, taskGroupId: string, io: Io): Promise<void> {
  const { summary, asOf } = await queue.taskGroupTimeline(
    { taskGroupId },
    { query: { limit: 1 }, timeoutMs: 60_000 },
  );
  if (!summary) return;
  const colors = colorsFor(io.stdout, io.env);
  writeLines(io.stdout, drawCriticalPath(summary, asOf, colors, io.stdout.columns ?? 100));
}

function resultOf({ name, taskGroupId, progress }: WatchedGroup, status: number): object {
  const tasks = [...progress.all()].map(({ task, state, reason }) => ({
    taskId: task.taskId,
    name: task.name,
    state,
    reason,
  }));
  return { name, taskGroupId, exitStatus: status, counts: progress.counts, tasks };
}
