// Wakes readers when a task changes: on its events, and by slow polling where the event stream is not available.
import type { TaskStatus } from "../../api/queue/status.ts";
import { queueEvents } from "../../client/bindings.ts";
import type { Client } from "../../client/connect.ts";
import { waitingClock } from "../../lib/clock.ts";
import { linkSignals, type LinkedSignal } from "../../lib/linked-signal.ts";
import { pause } from "../../lib/retry.ts";

export interface TaskChanges {
  /** Number of changes so far. Read it before the task's status, so that no change in between is missed. */
  readonly count: number;
  /** Resolves when there have been more changes, or after the polling interval. Rejects with the signal's reason. */
  after(count: number): Promise<void>;
}

export interface WatchedTask {
  readonly client: Client;
  readonly taskId: string;
  readonly changes: TaskChanges;
  readonly signal: AbortSignal;
}

/** Reports whether a task or run in this state has ended. */
export const isResolved = (state: TaskStatus["state"]): boolean =>
  state === "completed" || state === "failed" || state === "exception";

/** Retries of calls while following a task, about 50 seconds: enough for a restart of the server. */
export const followRetries = 9;

/** Waits until the status of a task satisfies `condition`, and returns it. */
export async function statusWhen(
  { client, taskId, changes, signal }: WatchedTask,
  condition: (status: TaskStatus) => boolean,
): Promise<TaskStatus> {
  for (;;) {
    const { count } = changes;
    const { status } = await client.queue.status({ taskId }, { signal, retries: followRetries });
    if (condition(status)) return status;
    await changes.after(count);
  }
}

// The interval without an event stream (it may not exist or not be public), and with one, as a safety net.
const pollMs = 1000;
const safetyMs = 15_000;

/** Watches a task until the signal aborts. */
export function watchTask(client: Client, taskId: string, signal: AbortSignal): TaskChanges {
  let listening = false;
  let count = 0;
  const waiting = new Set<LinkedSignal>();
  const wake = (): void => {
    count++;
    for (const wait of waiting) wait.abort();
  };

  async function listen(): Promise<void> {
    const of = { taskId };
    const events = await client.events.listen(
      [
        queueEvents.taskPending(of),
        queueEvents.taskRunning(of),
        queueEvents.artifactCreated(of),
        queueEvents.taskCompleted(of),
        queueEvents.taskFailed(of),
        queueEvents.taskException(of),
      ],
      { signal },
    );
    listening = true;
    // Changes before the stream started have not woken anyone.
    wake();
    for await (const _ of events) wake();
  }
  void listen()
    .catch(() => undefined)
    .finally(() => (listening = false));

  return {
    get count() {
      return count;
    },
    async after(before) {
      if (count !== before) return;
      const wait = linkSignals(signal);
      waiting.add(wait);
      await pause(waitingClock, listening ? safetyMs : pollMs, wait.signal).catch(() => undefined);
      waiting.delete(wait);
      wait.dispose();
      signal.throwIfAborted();
    },
  };
}
