// Distributes pending runs to the waiting claimers of each queue, in the order of their arrival.
//
// A process has at most one claim statement in flight per queue, which serves all waiting claimers. A commit that makes
// runs pending wakes the queue, so claimers do not poll; slow polling is only a safety net.
import type { QueueContext } from "../context.ts";
import { timestamp } from "../../../core/timestamp.ts";
import { pendingTopic } from "../sql/wakes.ts";
import type { QueueHeads } from "./queue-heads.ts";
import { claimPending, type Claims } from "./store/claim-pending.ts";
import type { ClaimedRow, Claimer } from "./store/claimed-runs.ts";

interface Waiter {
  readonly claimer: Claimer;
  /** Ends the wait with these runs. */
  readonly settle: (rows: ClaimedRow[] | Error) => void;
  /** Ends the wait without runs, or with those of a statement in flight for this waiter. */
  readonly leave: () => void;
  isLeaving: boolean;
  /**
   * A statement found the worker in quarantine. It gets nothing for the rest of this wait, even if it is released
   * meanwhile, so that it causes no further statements and does not block the waiters behind it.
   */
  isQuarantined: boolean;
  /** Called when the wait has ended. */
  readonly onEnd: (() => void)[];
}

/** The waiting claimers of one queue. */
interface WaitingLine {
  readonly taskQueueId: string;
  waiting: Waiter[];
  /** The waiters of the statement in flight. */
  served: readonly Waiter[];
  /** Whether statements are running. */
  busy: boolean;
  /** Whether there may be pending runs that no statement has read yet. */
  stale: boolean;
  readonly close: () => void;
}

/** The maximum number of runs that one statement claims. The other waiters are served by the next statement. */
const MAX_SLOTS = 256;

export interface ClaimDispatcher {
  /**
   * Waits until `claimer` has at least one run, `waitMs` have passed or `signal` is aborted. Returns its runs, possibly
   * none.
   */
  claim(taskQueueId: string, claimer: Claimer, waitMs: number, signal: AbortSignal): Promise<ClaimedRow[]>;
  /**
   * Ends the wait of an earlier call with the same `claimId`, and resolves when it has its result. The connection of that
   * call may be broken, and runs that it received from now on would be lost until their claims expire.
   */
  takeOver(taskQueueId: string, claimer: Claimer): Promise<void>;
  /** Ends all waits, when the server stops. */
  stop(): void;
}

export function createClaimDispatcher(
  ctx: Pick<QueueContext, "db" | "clock" | "config" | "wakeUps">,
  heads: QueueHeads,
): ClaimDispatcher {
  const lines = new Map<string, WaitingLine>();
  const unsubscribe = heads.onReordered(() => {
    for (const line of lines.values()) serveSoon(line);
  });
  let stopped = false;

  function open(taskQueueId: string): WaitingLine {
    const unsubscribe = ctx.wakeUps.subscribe(pendingTopic(taskQueueId), () => serveSoon(line));
    let cancelPoll = (): void => {};
    const poll = (): void => {
      cancelPoll = ctx.clock.after(ctx.config.loopInterval, () => {
        poll();
        serveSoon(line);
      });
    };
    const line: WaitingLine = {
      taskQueueId,
      waiting: [],
      served: [],
      busy: false,
      stale: false,
      close: () => {
        unsubscribe();
        cancelPoll();
        lines.delete(taskQueueId);
      },
    };
    poll();
    lines.set(taskQueueId, line);
    return line;
  }

  function serveSoon(line: WaitingLine): void {
    line.stale = true;
    if (!line.busy) void serve(line);
  }

  async function serve(line: WaitingLine): Promise<void> {
    line.busy = true;
    // Claims that arrive in the same iteration of the event loop share a statement.
    await new Promise(setImmediate);
    while (line.stale) {
      const eligible = line.waiting.filter((waiter) => !waiter.isQuarantined);
      if (eligible.length === 0) break;
      line.stale = false;
      const served = firstOf(eligible);
      line.served = served;
      const claims = await claimFor(line.taskQueueId, served);
      line.served = [];
      if (claims instanceof Error) {
        for (const waiter of served) waiter.settle(claims);
        continue;
      }
      const { runs, quarantined, full } = claims;
      for (const position of quarantined) {
        const waiter = served[position - 1];
        if (waiter) waiter.isQuarantined = true;
      }
      for (const [i, waiter] of served.entries()) {
        const own = runs.filter((run) => run.claimer === i + 1);
        if (own.length > 0 || waiter.isLeaving) waiter.settle(own);
      }
      // If all wanted runs were found, there may be more for the other waiters. That includes the case that none was
      // wanted because all served waiters are in quarantine.
      const wanted = served.reduce((sum, w) => sum + (w.isQuarantined ? 0 : w.claimer.tasks), 0);
      if (runs.length === wanted || full) line.stale = true;
    }
    line.busy = false;
    if (line.waiting.length === 0) line.close();
  }

  async function claimFor(taskQueueId: string, served: readonly Waiter[]): Promise<Claims | Error> {
    try {
      const from = heads.from(taskQueueId);
      const begun = ctx.clock.now();
      const claims = await claimPending(
        ctx.db,
        taskQueueId,
        served.map((w) => w.claimer),
        from,
        timestamp(ctx),
        timestamp(ctx, ctx.config.claimTimeout),
      );
      heads.recordClaimed(taskQueueId, claims.runs, { from, ms: ctx.clock.now() - begun });
      return claims;
    } catch (err) {
      return err as Error;
    }
  }

  return {
    claim(taskQueueId, claimer, waitMs, signal) {
      if (stopped || signal.aborted) return Promise.resolve([]);
      const line = lines.get(taskQueueId) ?? open(taskQueueId);
      return new Promise((resolve, reject) => {
        const settle: Waiter["settle"] = (rows) => {
          cancelTimeout();
          signal.removeEventListener("abort", leave);
          line.waiting = line.waiting.filter((w) => w !== waiter);
          if (line.waiting.length === 0 && !line.busy) line.close();
          if (rows instanceof Error) reject(rows);
          else resolve(rows);
          for (const callback of waiter.onEnd) callback();
        };
        const leave = (): void => {
          waiter.isLeaving = true;
          // The waiter still receives the runs of a statement in flight: nobody else would until their claims expire.
          if (!line.served.includes(waiter)) settle([]);
        };
        const waiter: Waiter = { claimer, settle, leave, isLeaving: false, isQuarantined: false, onEnd: [] };
        const cancelTimeout = ctx.clock.after(waitMs, leave);
        signal.addEventListener("abort", leave, { once: true });
        line.waiting.push(waiter);
        serveSoon(line);
      });
    },
    async takeOver(taskQueueId, claimer) {
      for (;;) {
        const earlier = lines.get(taskQueueId)?.waiting.find((w) => isSameClaim(w.claimer, claimer));
        if (!earlier) return;
        await new Promise<void>((resolve) => {
          earlier.onEnd.push(resolve);
          earlier.leave();
        });
      }
    },
    stop() {
      stopped = true;
      unsubscribe();
      for (const line of lines.values()) for (const waiter of line.waiting) waiter.leave();
    },
  };
}

const isSameClaim = (a: Claimer, b: Claimer): boolean =>
  a.claimId !== null &&
  a.claimId === b.claimId &&
  a.workerGroup === b.workerGroup &&
  a.workerId === b.workerId;

function firstOf(waiting: readonly Waiter[]): Waiter[] {
  const first: Waiter[] = [];
  let slots = 0;
  for (const waiter of waiting) {
    slots += waiter.claimer.tasks;
    if (first.length > 0 && slots > MAX_SLOTS) break;
    first.push(waiter);
  }
  return first;
}
