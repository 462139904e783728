// Wakes whoever waits for something to happen to a task: by the events of the task, and by a slow poll where these
// cannot be had.
import { queueEvents } from "../../client/bindings.ts";
import type { Client } from "../../client/connect.ts";
import { waitingClock } from "../../lib/clock.ts";
import { pause } from "../../lib/retry.ts";

export interface TaskWatch {
  /** How much has happened so far. Taken before looking at the task, so that nothing slips between look and wait. */
  readonly seen: number;
  /** Settles when more has happened, or when it is time to look anyway. Rejects with the signal's reason. */
  since(seen: number): Promise<void>;
}

// Servers without a stream of events (or with a private one) are asked this often; the others only to be safe.
const pollMs = 1000;
const safetyMs = 15_000;

/** Watches a task until the signal fires. */
export function watchTask(client: Client, taskId: string, signal: AbortSignal): TaskWatch {
  let listening = false;
  let seen = 0;
  const waiting = new Set<AbortController>();
  const wake = (): void => {
    seen++;
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
    // What happened before the stream began woke nobody.
    wake();
    for await (const _ of events) wake();
  }
  void listen()
    .catch(() => undefined)
    .finally(() => (listening = false));

  return {
    get seen() {
      return seen;
    },
    async since(before) {
      if (seen !== before) return;
      const wait = new AbortController();
      waiting.add(wait);
      const ended = AbortSignal.any([wait.signal, signal]);
      await pause(waitingClock, listening ? safetyMs : pollMs, ended).catch(() => undefined);
      waiting.delete(wait);
      signal.throwIfAborted();
    },
  };
}
