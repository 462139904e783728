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
   * Calls `notify` whenever the task may have been resolved as an exception, until the returned function is called.
   * Calls it immediately if that may have happened while the reply to the claim was in flight.
   */
  onException(taskId: string, notify: () => void): () => void;
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
 * stream, refuses it or is down, notifies every listener at the polling interval instead.
 */
export function watchExceptions(options: ExceptionWatchOptions): ExceptionWatch {
  const { clock, monitor, workerGroup, workerId } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  // Matches events of this worker's runs only. The event of a passed deadline carries no worker, but the worker has a
  // timer for that.
  const ownExceptions = queueEvents.taskException({ workerGroup, workerId });
  const listenersByTask = new Map<string, Set<() => void>>();
  /** Tasks whose event came before they had a listener: the reply to their claim may still be in flight. */
  const early = new LRUCache<string, true>({ max: 1000 });
  let connected = false;
  let connectedAt = 0;
  let refused = false;
  let failures = 0;
  let cancelPoll = (): void => undefined;

  const notifyAll = (): void => {
    for (const set of listenersByTask.values()) for (const notify of set) notify();
  };
  function poll(): void {
    cancelPoll = clock.after(options.pollMs, () => {
      if (!connected) notifyAll();
      poll();
    });
  }

  function notifyTask(taskId: string): void {
    const listeners = listenersByTask.get(taskId);
    if (listeners === undefined) early.set(taskId, true);
    else for (const notify of listeners) notify();
  }

  /** One connection, until it ends or fails. */
  async function listen(): Promise<void> {
    // Does not resume a broken stream: notifying every listener after each connection covers the gap.
    const events = await options.events.listen([ownExceptions], { signal, reconnect: false });
    if (signal.aborted) return;
    connected = true;
    connectedAt = clock.now();
    refused = false;
    failures = 0;
    notifyAll();
    for await (const { payload } of events) notifyTask(payload.status.taskId);
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
    onException(taskId, notify) {
      const set = listenersByTask.get(taskId) ?? new Set();
      listenersByTask.set(taskId, set.add(notify));
      const wasEarly = early.delete(taskId);
      // Events from before the connection are missed, and may be as old as the reply.
      if (wasEarly || (connected && clock.now() - connectedAt < longestReplyMs)) notify();
      return () => {
        set.delete(notify);
        if (set.size === 0) listenersByTask.delete(taskId);
      };
    },
    async stop() {
      stopped.abort();
      cancelPoll();
      await following;
    },
  };
}
