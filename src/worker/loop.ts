// The claim loop: keeps the worker's slots filled by waiting at the queue, and loses no claim on the way.
import { pause } from "../lib/retry.ts";
import { MAX_TASKS_PER_CLAIM } from "../api/queue/claim.ts";
import type { ClaimedTask, ClaimWorkRequest } from "../api/queue/claim.ts";
import { backoffDelay } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { slugid } from "../lib/slugid.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import { messageOf } from "./worker-monitor.ts";
import { refusalOf } from "./queue-client.ts";
import type { QueueClient } from "./queue-client.ts";

export interface ClaimLoopOptions {
  readonly queue: QueueClient;
  readonly taskQueueId: string;
  readonly workerGroup: string;
  readonly workerId: string;
  /** How many runs at once. */
  readonly capacity: number;
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  /** Starts a run; the returned promise frees its slot and must not reject. */
  start(claim: ClaimedTask, receivedAt: number): Promise<unknown>;
}

export interface ClaimLoop {
  /** Claims no more. What an interrupted call had won already is started all the same; settles after that. */
  stop(): Promise<void>;
}

const backoff = { baseMs: 500, maxMs: 30_000, jitter: 0.25 };
// A queue that answers at once that it has nothing is asked again after this long, or it would be asked in circles.
const leastPollMs = 1000;
// How long the last question at a stop may take. The answer is known or it is not: there is nothing to wait for.
const lastAskMs = 500;

export function startClaimLoop(options: ClaimLoopOptions): ClaimLoop {
  const { queue, clock, monitor, capacity, taskQueueId, workerGroup, workerId } = options;
  const stopping = new AbortController();
  let running = 0;
  /** Ends the wait for a free slot. */
  let wake = (): void => undefined;
  let call = new AbortController();
  /** The call whose answer has not come: repeated word for word, so that the queue recognises it. */
  let pending: ClaimWorkRequest | undefined;
  let knowsClaimIds = true;

  async function claim(signal: AbortSignal): Promise<number> {
    pending ??= {
      workerGroup,
      workerId,
      tasks: Math.min(capacity - running, MAX_TASKS_PER_CLAIM),
      ...(knowsClaimIds ? { claimId: slugid() } : {}),
    };
    const { tasks } = await queue.claimWork({ taskQueueId }, pending, { signal, retries: 0 });
    pending = undefined;
    const receivedAt = clock.now();
    for (const task of tasks) {
      running++;
      void options.start(task, receivedAt).finally(() => {
        running--;
        wake();
      });
    }
    return tasks.length;
  }

  /** What to do about a failed call; the call itself will be repeated, unless the queue has refused it. */
  function failed(error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal === undefined || refusal >= 500) {
      monitor.warn("could not ask for work", { reason: messageOf(error) });
      return;
    }
    // A refused claim has claimed nothing.
    if (refusal === 400 && pending?.claimId !== undefined) {
      // Other implementations of this API do not know claim ids, and refuse what they do not know.
      knowsClaimIds = false;
      monitor.warn("the queue does not take claim ids; claims whose reply gets lost will have to expire");
    } else {
      monitor.reportError(error, { taskQueueId });
    }
    pending = undefined;
  }

  async function loop(): Promise<void> {
    const { signal } = stopping;
    let failures = 0;
    while (!signal.aborted) {
      if (running >= capacity) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const askedAt = clock.now();
      // A signal for each call: one for all would collect what every call hangs on it, for the life of the worker.
      call = new AbortController();
      try {
        const won = await claim(call.signal);
        failures = 0;
        const early = leastPollMs - (clock.now() - askedAt);
        if (won === 0 && early > 0) await wait(early);
      } catch (error) {
        if (signal.aborted) break;
        failed(error);
        await wait(backoffDelay(failures++, backoff));
      }
    }
    if (pending?.claimId !== undefined) await askOnceMore();
  }

  /**
   * The interrupted call may have claimed something just before: asked with the same claim id, the queue tells. Without
   * this such runs would sit until their claim expires.
   */
  async function askOnceMore(): Promise<void> {
    const limit = new AbortController();
    const cancel = clock.after(lastAskMs, () => limit.abort(new Error("nothing was claimed")));
    try {
      await claim(limit.signal);
    } catch (error) {
      monitor.debug("no claim was left open", { reason: messageOf(error) });
    } finally {
      cancel();
    }
  }

  async function wait(ms: number): Promise<void> {
    await pause(clock, ms, stopping.signal).catch(() => undefined);
  }

  const looping = loop();
  return {
    async stop() {
      const reason = new Error("the worker stops");
      stopping.abort(reason);
      call.abort(reason);
      wake();
      await looping;
    },
  };
}
