// Gives early notice that a running task may have been resolved by another caller, so that a cancellation takes effect
// immediately and not at the next reclaim. A notice is only a hint: the listener then requests the task's status.
import { LRUCache } from "lru-cache";
import { LISTEN_SCOPE } from "../api/events.ts";
import { queueEvents } from "../client/bindings.ts";
import type { EventListening } from "../client/connect.ts";
import { backoffDelay } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { pause } from "../lib/retry.ts";
import { refusalOf } from "./queue-client.ts";
import { messageOf } from "./worker-monitor.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";

export interface ExceptionWatch {
  /**
   * Calls `hint` whenever the task may have been resolved as an exception, until the returned function is called.
   * Calls it immediately if that may have happened while the reply to the claim was in flight.
   */
  onException(taskId: string, hint: () => void): () => void;
  stop(): Promise<void>;
}

export interface ExceptionWatchOptions {
  /** The server's events, with the worker's own credentials. */
  readonly events: EventListening;
  readonly workerGroup: string;
  readonly workerId: string;
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  /** Polling interval while there is no stream of events, in ms. */
  readonly pollMs: number;
}

const backoff = { baseMs: 500, maxMs: 60_000, jitter: 0.25 };
// Upper bound on the time that the reply to a claim can be in flight.
const longestReplyMs = 60_000;

/**
 * Follows the events of this worker's own runs on one connection. While there is none, because the server has no such
 * stream, refuses it or is down, calls every hint at the polling interval instead.
 */
export function watchExceptions(options: ExceptionWatchOptions): ExceptionWatch {
  const { clock, monitor, workerGroup, workerId } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  // Matches events of this worker's runs only. The event of a passed deadline carries no worker, but the worker has a
  // timer for that.
  const ownExceptions = queueEvents.taskException({ workerGroup, workerId });
  const hints = new Map<string, Set<() => void>>();
  /** Tasks whose event came before they had a listener: the reply to their claim may still be in flight. */
  const early = new LRUCache<string, true>({ max: 1000 });
  let connected = false;
  let connectedAt = 0;
  let refused = false;
  let failures = 0;
  let cancelPoll = (): void => undefined;

  const hintAll = (): void => {
    for (const set of hints.values()) for (const hint of set) hint();
  };
  function poll(): void {
    cancelPoll = clock.after(options.pollMs, () => {
      if (!connected) hintAll();
      poll();
    });
  }

  function hintTask(taskId: string): void {
    const listeners = hints.get(taskId);
    if (listeners === undefined) early.set(taskId, true);
    else for (const hint of listeners) hint();
  }

  /** One connection, until it ends or fails. */
  async function listen(): Promise<void> {
    // Does not resume a broken stream: a hint for every task after each connection covers the gap.
    const events = await options.events.listen([ownExceptions], { signal, reconnect: false });
    if (signal.aborted) return;
    connected = true;
    connectedAt = clock.now();
    refused = false;
    failures = 0;
    hintAll();
    for await (const { payload } of events) hintTask(payload.status.taskId);
  }

  function reportFailure(error: unknown): void {
    if (signal.aborted) return;
    const status = refusalOf(error);
    if (status !== 401 && status !== 403) {
      monitor.debug("no stream of events", { reason: messageOf(error) });
    } else if (!refused) {
      refused = true;
      monitor.warn("the server refuses the stream of events; polling for canceled tasks instead", {
        reason: messageOf(error),
        requiredScope: LISTEN_SCOPE,
        pollMs: options.pollMs,
      });
    }
  }

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        await listen();
      } catch (error) {
        reportFailure(error);
      }
      connected = false;
      await pause(clock, backoffDelay(failures++, backoff), signal).catch(() => undefined);
    }
  }

  poll();
  const following = follow();
  return {
    onException(taskId, hint) {
      const set = hints.get(taskId) ?? new Set();
      hints.set(taskId, set.add(hint));
      const wasEarly = early.delete(taskId);
      // Events from before the connection are missed, and may be as old as the reply.
      if (wasEarly || (connected && clock.now() - connectedAt < longestReplyMs)) hint();
      return () => {
        set.delete(hint);
        if (set.size === 0) hints.delete(taskId);
      };
    },
    async stop() {
      stopped.abort();
      cancelPoll();
      await following;
    },
  };
}
