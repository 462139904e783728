// The claim loop: keeps the worker's slots filled by long-polling the queue, without losing a claim whose reply is lost.
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
import { InternalError } from "../lib/internal-error.ts";

export interface ClaimLoopOptions {
  readonly queue: QueueClient;
  readonly taskQueueId: string;
  readonly workerGroup: string;
  readonly workerId: string;
  /** Maximum number of concurrent runs. */
  readonly capacity: number;
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  /** Starts a run. The returned promise frees its slot and must not reject. */
  start(claim: ClaimedTask, receivedAt: number): Promise<unknown>;
  /** Called once if the queue refuses the worker's credentials. The loop has ended then: no repetition would help. */
  onRefused(error: Error): void;
}

export interface ClaimLoop {
  /** Stops claiming. Starts the runs that an interrupted request had already claimed, and then settles. */
  stop(): Promise<void>;
}

const backoff = { baseMs: 500, maxMs: 30_000, jitter: 0.25 };
// The shortest polling interval: a queue that replies immediately with no task would otherwise be polled in a busy loop.
const minPollMs = 1000;
// Timeout of the last request at a stop. Its result is decided already, so the queue replies immediately.
const recoveryTimeoutMs = 500;

export function startClaimLoop(options: ClaimLoopOptions): ClaimLoop {
  const { queue, clock, monitor, capacity, taskQueueId, workerGroup, workerId } = options;
  const stopping = new AbortController();
  let running = 0;
  /** Ends the wait for a free slot. */
  let wake = (): void => undefined;
  let request = new AbortController();
  /** The request without a reply so far. It is repeated unchanged, so that the queue recognizes its claim id. */
  let pending: ClaimWorkRequest | undefined;
  let claimIdsSupported = true;

  async function claim(signal: AbortSignal): Promise<number> {
    pending ??= {
      workerGroup,
      workerId,
      tasks: Math.min(capacity - running, MAX_TASKS_PER_CLAIM),
      ...(claimIdsSupported ? { claimId: slugid() } : {}),
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

  /** Logs a failed request and decides whether the next one repeats it: it does, unless the queue has refused it. */
  function handleFailure(error: unknown, refusal: number | undefined): void {
    if (refusal === undefined || refusal >= 500) {
      monitor.warn("could not request work", { reason: messageOf(error) });
      return;
    }
    // A refused request has claimed nothing.
    if (refusal === 400 && pending?.claimId !== undefined) {
      // Other implementations of this API do not have claim ids, and refuse unknown properties.
      claimIdsSupported = false;
      monitor.warn(
        "the queue does not support claim ids; a claim whose reply is lost stays unused until it expires",
      );
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
      const requestedAt = clock.now();
      // One signal per request: a shared one would keep the listeners of every request for the life of the worker.
      request = new AbortController();
      try {
        const claimed = await claim(request.signal);
        failures = 0;
        const remaining = minPollMs - (clock.now() - requestedAt);
        if (claimed === 0 && remaining > 0) await wait(remaining);
      } catch (error) {
        if (signal.aborted) break;
        const refusal = refusalOf(error);
        if (error instanceof Error && (refusal === 401 || refusal === 403)) {
          options.onRefused(error);
          return;
        }
        handleFailure(error, refusal);
        await wait(backoffDelay(failures++, backoff));
      }
    }
    if (pending?.claimId !== undefined) await recoverClaim();
  }

  /**
   * Repeats the interrupted request, which may have claimed tasks just before: with the same claim id, the queue returns
   * them. Their runs would otherwise be idle until the claims expire.
   */
  async function recoverClaim(): Promise<void> {
    const limit = new AbortController();
    const cancel = clock.after(recoveryTimeoutMs, () =>
      limit.abort(new InternalError("nothing was claimed")),
    );
    try {
      await claim(limit.signal);
    } catch (error) {
      monitor.debug("no claim to recover", { reason: messageOf(error) });
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
      const reason = new InternalError("the worker is stopping");
      stopping.abort(reason);
      request.abort(reason);
      wake();
      await looping;
    },
  };
}
