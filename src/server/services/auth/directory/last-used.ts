// When clients were last used: recorded in memory for each request, and written together every two seconds.
import { backoffDelay } from "../../../../lib/backoff.ts";
import { systemClock, type Clock } from "../../../../lib/clock.ts";
import type { Db } from "../../../core/db.ts";
import type { Monitor } from "../../../core/monitor.ts";
import { reportFailure } from "../../../core/outage.ts";
import { writeUses } from "./store.ts";

export interface LastUsed {
  /** Records that a client signed a request just now, itself or as the issuer of temporary credentials. */
  used(clientId: string): void;
  /** Writes what was recorded. Never rejects. */
  flush(): Promise<void>;
}

const writeEveryMs = 2_000;
const retryBackoff = { baseMs: 1_000, maxMs: 60_000, jitter: 0.25 };
/** Rows per statement. */
const CHUNK = 1_000;

export function createLastUsed(ctx: {
  readonly db: Db;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** Default: the machine's clock, also where a test controls the time of day. */
  readonly timer?: Pick<Clock, "after">;
}): LastUsed {
  const { db, clock, monitor, timer = systemClock } = ctx;
  let buffer = new Map<string, number>();
  let cancelTimer: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();
  let failures = 0;

  function writeIn(ms: number): void {
    cancelTimer ??= timer.after(ms, () => {
      cancelTimer = undefined;
      void flush();
    });
  }

  const flush = (): Promise<void> => (writing = writing.then(write));

  async function write(): Promise<void> {
    cancelTimer?.();
    cancelTimer = undefined;
    const taken = buffer;
    buffer = new Map();
    // Sorted, so that two processes lock rows in the same order.
    const uses = [...taken].sort(([a], [b]) => (a < b ? -1 : 1));
    try {
      for (let i = 0; i < uses.length; i += CHUNK) await writeUses(db, uses.slice(i, i + CHUNK));
      failures = 0;
    } catch (err) {
      reportFailure(monitor, err, { unwritten: taken.size });
      buffer = new Map([...taken, ...buffer]);
      writeIn(Math.max(writeEveryMs, backoffDelay(failures++, retryBackoff)));
    }
  }

  return {
    used(clientId) {
      buffer.set(clientId, clock.now());
      writeIn(writeEveryMs);
    },
    flush,
  };
}
