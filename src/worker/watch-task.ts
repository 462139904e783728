// Early notice that a running task may have been resolved by somebody else, so that a cancel takes effect at once and
// not at the next reclaim. What is noticed is only a hint: whoever gets it asks the queue.
import { createParser } from "eventsource-parser";
import { LRUCache } from "lru-cache";
import { pause } from "../lib/retry.ts";
import { backoffDelay } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Monitor } from "./monitor.ts";
import { messageOf } from "./monitor.ts";
import { isRecord } from "./payload-part.ts";

export interface TaskWatch {
  /**
   * Calls `hint` whenever the task may have been resolved as an exception, until the returned function is called; at once
   * where that may have happened while the reply to the claim was on its way.
   */
  onException(taskId: string, hint: () => void): () => void;
  stop(): Promise<void>;
}

export interface TaskWatchOptions {
  readonly rootUrl: string;
  readonly workerGroup: string;
  readonly workerId: string;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** How often to hint while there is no stream of events, in ms. */
  readonly pollMs: number;
}

const exchange = "exchange/taskcluster-queue/v1/task-exception";
const backoff = { baseMs: 500, maxMs: 60_000, jitter: 0.25 };
// The server sends a ping more often than this; without one the connection is dead, whatever TCP believes.
const silenceLimitMs = 90_000;
// No reply to a claim is waited for as long.
const longestReplyMs = 60_000;

/**
 * Follows the events of this worker's own runs on one connection. A server without such a stream (or a broken one)
 * costs nothing but the regular hints.
 */
export function watchTasks(options: TaskWatchOptions): TaskWatch {
  const { clock, monitor } = options;
  const stopped = new AbortController();
  const hints = new Map<string, Set<() => void>>();
  /** Tasks that were heard of while nobody listened: their claim may still be on its way here. */
  const early = new LRUCache<string, true>({ max: 1000 });
  let connected = false;
  let connectedAt = 0;
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

  function heard(event: string | undefined, data: string): void {
    if (event === "ready") {
      connected = true;
      connectedAt = clock.now();
      // What happened before is not sent again; asking once makes up for it.
      hintAll();
    } else if (event === "message") {
      const taskId = taskIdOf(data);
      const listeners = hints.get(taskId);
      if (listeners === undefined) early.set(taskId, true);
      else for (const hint of listeners) hint();
    }
  }

  async function follow(): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted; failures++) {
      try {
        await listen(eventsUrl(options), { clock, signal: stopped.signal }, (event, data) => {
          failures = 0;
          heard(event, data);
        });
      } catch (error) {
        if (!stopped.signal.aborted) monitor.debug("no stream of events", { reason: messageOf(error) });
      }
      connected = false;
      await pause(clock, backoffDelay(failures, backoff), stopped.signal).catch(() => undefined);
    }
  }

  poll();
  const following = follow();
  return {
    onException(taskId, hint) {
      const set = hints.get(taskId) ?? new Set();
      hints.set(taskId, set.add(hint));
      const wasHeard = early.delete(taskId);
      // What happened before the stream began was not heard, and may be as old as the reply.
      if (wasHeard || (connected && clock.now() - connectedAt < longestReplyMs)) hint();
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

function eventsUrl({ rootUrl, workerGroup, workerId }: TaskWatchOptions): string {
  // Task, run, group, id: only what happens to runs of this very worker. A deadline's event names no worker, but
  // that moment the worker knows itself.
  const routingKeyPattern = `primary.*.*.${workerGroup}.${workerId}.#`;
  const bindings = JSON.stringify({ bindings: [{ exchange, routingKeyPattern }] });
  return `${rootUrl}/api/events/v1/connect?bindings=${encodeURIComponent(bindings)}`;
}

/** One connection, until it ends, fails or falls silent. */
async function listen(
  url: string,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
  heard: (event: string | undefined, data: string) => void,
): Promise<void> {
  const silence = new AbortController();
  const giveUp = (): void => silence.abort(new Error("the stream of events fell silent"));
  let cancel = clock.after(silenceLimitMs, giveUp);
  try {
    const response = await fetch(url, {
      headers: { accept: "text/event-stream" },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`the server answered ${response.status}`);
    }
    const parser = createParser({ onEvent: ({ event, data }) => heard(event, data) });
    const text = new TextDecoder();
    for await (const chunk of response.body) {
      cancel();
      cancel = clock.after(silenceLimitMs, giveUp);
      parser.feed(text.decode(chunk, { stream: true }));
    }
  } finally {
    cancel();
  }
}

/** The task of an event's message; empty where it does not say. */
function taskIdOf(data: string): string {
  try {
    const event: unknown = JSON.parse(data);
    const payload = isRecord(event) ? event["payload"] : undefined;
    const status = isRecord(payload) ? payload["status"] : undefined;
    const taskId = isRecord(status) ? status["taskId"] : undefined;
    return typeof taskId === "string" ? taskId : "";
  } catch {
    return "";
  }
}
