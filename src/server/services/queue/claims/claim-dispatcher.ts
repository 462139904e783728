// Who waits for work, and who gets it: the claimers of each queue, served in the order in which they came.
//
// At most one claim statement a queue is under way in a process; it serves everybody who waits. A commit that
// makes runs pending wakes the queue, so nobody sleeps and asks again; a slow poll is only the safety net.
import type { QueueContext } from "../context.ts";
import { timestamp } from "../context.ts";
import { pendingTopic } from "../sql/wakes.ts";
import type { QueueHeads } from "./queue-heads.ts";
import { claimPending, type Claims } from "./store/claim-pending.ts";
import type { ClaimedRow, Claimer } from "./store/claimed-runs.ts";

interface Waiter {
  readonly claimer: Claimer;
  /** Ends the wait with these runs. */
  readonly settle: (rows: ClaimedRow[] | Error) => void;
  /** Ends it with nothing; where a statement is under way for this waiter, with what that brings. */
  readonly leave: () => void;
  isLeaving: boolean;
  /**
   * A statement found it in quarantine: it waits its time out and gets nothing, be it let go meanwhile. So it costs no
   * further statement, and no place of those behind it.
   */
  isQuarantined: boolean;
  /** Told when the wait is over. */
  readonly onEnd: (() => void)[];
}

interface Line {
  readonly taskQueueId: string;
  waiting: Waiter[];
  /** Waiters for whom a statement is under way. */
  served: readonly Waiter[];
  /** Statements are being run. */
  busy: boolean;
  /** There may be pending runs that no statement has looked for yet. */
  stale: boolean;
  readonly close: () => void;
}

/** Runs that one statement hands out at the most; the rest of a long line goes in the next one. */
const MAX_SLOTS = 256;

export interface ClaimDispatcher {
  /**
   * Waits until `claimer` has at least one run, `waitMs` have passed or `signal` is aborted; then answers what
   * it has got, perhaps nothing.
   */
  claim(taskQueueId: string, claimer: Claimer, waitMs: number, signal: AbortSignal): Promise<ClaimedRow[]>;
  /**
   * Sends an earlier call with the same `claimId` home and resolves when it has what it gets: its connection may be
   * gone without a word, and what it was given from now on would wait for the claim to expire.
   */
  takeOver(taskQueueId: string, claimer: Claimer): Promise<void>;
  /** Sends everybody home with nothing: the server stops. */
  stop(): void;
}

export function createClaimDispatcher(
  ctx: Pick<QueueContext, "db" | "clock" | "config" | "wakeUps">,
  heads: QueueHeads,
): ClaimDispatcher {
  const lines = new Map<string, Line>();
  const unsubscribe = heads.onReordered(() => {
    for (const line of lines.values()) look(line);
  });
  let stopped = false;

  function open(taskQueueId: string): Line {
    const unsubscribe = ctx.wakeUps.subscribe(pendingTopic(taskQueueId), () => look(line));
    let cancelPoll = (): void => {};
    const poll = (): void => {
      cancelPoll = ctx.clock.after(ctx.config.loopInterval, () => {
        poll();
        look(line);
      });
    };
    const line: Line = {
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

  function look(line: Line): void {
    line.stale = true;
    if (!line.busy) void serve(line);
  }

  async function serve(line: Line): Promise<void> {
    line.busy = true;
    // Claims that arrive in the same turn of the event loop are served by one statement.
    await new Promise(setImmediate);
    while (line.stale) {
      const asking = line.waiting.filter((waiter) => !waiter.isQuarantined);
      if (asking.length === 0) break;
      line.stale = false;
      const served = firstOf(asking);
      line.served = served;
      const claims = await claimFor(line.taskQueueId, served);
      line.served = [];
      if (claims instanceof Error) {
        for (const waiter of served) waiter.settle(claims);
        continue;
      }
      const { runs, quarantined } = claims;
      for (const position of quarantined) {
        const waiter = served[position - 1];
        if (waiter) waiter.isQuarantined = true;
      }
      for (const [i, waiter] of served.entries()) {
        const own = runs.filter((run) => run.claimer === i + 1);
        if (own.length > 0 || waiter.isLeaving) waiter.settle(own);
      }
      // Everything that was asked for was there, so there may be more for those behind, or who came meanwhile. That is
      // so as well where nothing was asked for, since all who were looked at are in quarantine.
      const wanted = served.reduce((sum, w) => sum + (w.isQuarantined ? 0 : w.claimer.tasks), 0);
      if (runs.length === wanted) line.stale = true;
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
          for (const told of waiter.onEnd) told();
        };
        const leave = (): void => {
          waiter.isLeaving = true;
          // What the statement claims for this waiter is its own: dropped, it would wait for the claim to expire.
          if (!line.served.includes(waiter)) settle([]);
        };
        const waiter: Waiter = { claimer, settle, leave, isLeaving: false, isQuarantined: false, onEnd: [] };
        const cancelTimeout = ctx.clock.after(waitMs, leave);
        signal.addEventListener("abort", leave, { once: true });
        line.waiting.push(waiter);
        look(line);
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
