// Keeps the claim of one run: reclaims it in time, holds its newest credentials, and detects its loss.
import { backoffDelay } from "../lib/backoff.ts";
import type { ClaimedTask } from "../api/queue/claim.ts";
import type { TaskStatus } from "../api/queue/status.ts";
import type { Clock } from "../lib/clock.ts";
import { withTimeout } from "../lib/retry.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import type { LostCause } from "./outcome.ts";
import { isTransient, refusalOf } from "./queue-client.ts";
import type { QueueClient } from "./queue-client.ts";

export interface ClaimKeeperOptions {
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  /** The queue with the worker's own credentials. */
  readonly queue: QueueClient;
  readonly claim: ClaimedTask;
  /** When the reply to the claim arrived, on the worker's clock. */
  readonly receivedAt: number;
  /** Called once, when the run no longer belongs to this worker. */
  onLost(cause: LostCause): void;
}

export interface ClaimKeeper {
  /** The queue with the newest credentials of the run. */
  queue(): QueueClient;
  /** Requests the task's status, and calls `onLost` if the run no longer belongs to this worker. Never rejects. */
  check(): Promise<void>;
  stop(): void;
}

/** The duration of one claim on the worker's clock, in ms. */
export interface ClaimTerm {
  readonly expiresAt: number;
  /** From the claim or reclaim to the expiry. */
  readonly length: number;
}

const reclaimAheadMs = 3 * 60_000;
// Node's timers accept at most 2^31-1 ms. A deadline may be further away.
const longestTimerMs = 2 ** 31 - 1;
// Timeout of one request, even if the claim lasts longer.
const requestTimeoutMs = 30_000;

/**
 * Returns the delay until the next reclaim in ms: three minutes before the expiry, or after two thirds of a shorter claim,
 * which leaves time to retry in either case.
 */
export function reclaimDelay(term: ClaimTerm, now: number): number {
  return Math.max(0, term.expiresAt - Math.min(reclaimAheadMs, term.length / 3) - now);
}

/**
 * Converts a claim to the worker's clock. The queue's clock may differ, so only differences of its times are used: a
 * claim began at `started`, which is when its reply was sent, and lasts until `takenUntil`.
 */
export function claimTerm(claim: ClaimedTask, receivedAt: number): ClaimTerm & { readonly skew: number } {
  const takenUntil = Date.parse(claim.takenUntil);
  const started = Date.parse(claim.status.runs[claim.runId]?.started ?? "");
  const skew = Number.isNaN(started) ? 0 : started - receivedAt;
  const expiresAt = takenUntil - skew;
  return { expiresAt, length: expiresAt - receivedAt, skew };
}

/** Returns why the run no longer belongs to this worker, or undefined if it does. */
export function lostCause(status: TaskStatus, claim: ClaimedTask): LostCause | undefined {
  const run = status.runs[claim.runId];
  const ours =
    run?.state === "running" &&
    status.runs.length === claim.runId + 1 &&
    run.workerGroup === claim.workerGroup &&
    run.workerId === claim.workerId;
  if (ours) return undefined;
  if (run?.reasonResolved === "canceled") return "canceled";
  return run?.reasonResolved === "deadline-exceeded" ? "deadline" : "claim-lost";
}

export function keepClaim(options: ClaimKeeperOptions): ClaimKeeper {
  const { clock, monitor, queue, claim } = options;
  const { taskId } = claim.status;
  const run = { taskId, runId: String(claim.runId) };
  const { skew, ...first } = claimTerm(claim, options.receivedAt);
  const deadline = Date.parse(claim.task.deadline) - skew;
  const stopped = new AbortController();
  let term: ClaimTerm = first;
  let current = queue.withCredentials(claim.credentials);
  let failures = 0;
  let cancelReclaim = (): void => undefined;
  let cancelDeadline = (): void => undefined;

  function stop(): void {
    stopped.abort();
    cancelReclaim();
    cancelDeadline();
  }
  function lose(cause: LostCause): void {
    if (stopped.signal.aborted) return;
    stop();
    monitor.warn("the run no longer belongs to this worker", { ...run, cause });
    options.onLost(cause);
  }

  /** Adds a timeout to a request: one that hangs must not outlive its claim. */
  function limited<T>(ms: number, what: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withTimeout({ clock, ms, signal: stopped.signal, what }, call);
  }

  async function reclaim(): Promise<void> {
    // A worker that was suspended may wake up after the expiry. It still tries once, since the queue's clock decides.
    const left = Math.max(term.expiresAt - clock.now(), Math.min(5000, term.length / 3));
    try {
      const reply = await limited(Math.min(left, requestTimeoutMs), "the reclaim", (signal) =>
        current.reclaimTask(run, { signal, retries: 0 }),
      );
      if (stopped.signal.aborted) return;
      failures = 0;
      const expiresAt = Date.parse(reply.takenUntil) - skew;
      term = { expiresAt, length: expiresAt - clock.now() };
      current = queue.withCredentials(reply.credentials);
      schedule(reclaimDelay(term, clock.now()));
    } catch (error) {
      if (stopped.signal.aborted) return;
      await reclaimFailed(error);
    }
  }

  async function reclaimFailed(error: unknown): Promise<void> {
    const refusal = refusalOf(error);
    if (refusal === 409 || refusal === 404) {
      await check();
      // The status still shows this worker's run. The queue refuses reclaims of such runs only after their deadline.
      lose(clock.now() >= deadline ? "deadline" : "claim-lost");
      return;
    }
    monitor.warn("could not reclaim", { ...run, err: error, transient: isTransient(error) });
    const now = clock.now();
    if (now >= term.expiresAt) {
      lose("claim-lost");
      return;
    }
    const backoff = {
      baseMs: Math.min(1000, term.length / 30),
      maxMs: Math.min(15_000, term.length / 10),
      jitter: 0.25,
    };
    schedule(Math.min(backoffDelay(failures++, backoff), term.expiresAt - now));
  }

  async function check(): Promise<void> {
    try {
      const { status } = await limited(requestTimeoutMs, "the request for the status", (signal) =>
        queue.status({ taskId }, { signal }),
      );
      const cause = lostCause(status, claim);
      if (cause !== undefined) lose(cause);
    } catch (error) {
      // Without a reply, the next reclaim decides.
      if (refusalOf(error) === 404) lose("claim-lost");
      else if (!stopped.signal.aborted) monitor.debug("could not request the status", { ...run, err: error });
    }
  }

  function schedule(ms: number): void {
    cancelReclaim = clock.after(ms, () => void reclaim());
  }
  function watchDeadline(): void {
    const left = deadline - clock.now();
    if (left <= 0) lose("deadline");
    else cancelDeadline = clock.after(Math.min(left, longestTimerMs), watchDeadline);
  }

  schedule(reclaimDelay(term, clock.now()));
  watchDeadline();
  return { queue: () => current, check, stop };
}
