// The position at which the pending runs of each queue begin, so that claims do not read the index entries of runs that
// were claimed long ago.
//
// A claimed run leaves a dead entry at the head of its queue's index. PostgreSQL removes dead entries once no transaction
// can see them. While a dump or an idle session holds an old snapshot, it removes none, and each claim would read all of
// them: 20 ms after 100,000 claims, and increasing. See docs/decisions/018.
import { LRUCache } from "lru-cache";
import { PRIORITIES } from "../../../../api/queue/task.ts";
import type { QueueContext } from "../context.ts";
import { reorderedTopic } from "../sql/wakes.ts";
import { QUEUE_START, type QueuePosition } from "./store/claim-pending.ts";

export interface QueueHeads {
  /** Returns the position from which a claim has to read, for each priority, the highest first. */
  from(taskQueueId: string): readonly QueuePosition[];
  /** Records the runs that a claim returned, the position from which it read, and how long it took. */
  recordClaimed(
    taskQueueId: string,
    runs: readonly QueuePosition[],
    scan: { from: readonly QueuePosition[]; ms: number },
  ): void;
  /** Calls `callback` when claims have to read queues from the start, since positions changed. Returns an unsubscribe function. */
  onReordered(callback: () => void): () => void;
}

/**
 * Recorded claims advance the head after this time, at most twice as long. Positions are drawn before the commit: a run
 * that takes longer to commit is found by the next full scan.
 */
const LAG_MS = 2000;
/** The maximum share of time spent on full scans. */
const FULL_SCAN_SHARE = 0.02;

interface Head {
  /** By priority, from 1: the position before which all runs are claimed. */
  settled: readonly number[];
  /** Becomes `settled` at the next shift. */
  earlier: readonly number[];
  latest: number[];
  /** When `latest` was last shifted to `earlier`. */
  shifted: number;
  /** When the next full scan is due. */
  fullScanDue: number;
}

const none: readonly number[] = [0, ...PRIORITIES.map(() => 0)];

export function createQueueHeads({ clock, wakeUps }: Pick<QueueContext, "clock" | "wakeUps">): QueueHeads {
  const heads = new LRUCache<string, Head>({ max: 10_000 });

  function headOf(taskQueueId: string): Head {
    const now = clock.now();
    let head = heads.get(taskQueueId);
    if (!head) {
      head = { settled: none, earlier: none, latest: [...none], shifted: now, fullScanDue: now };
      heads.set(taskQueueId, head);
    }
    if (now - head.shifted >= LAG_MS) {
      head.settled = head.earlier;
      head.earlier = [...head.latest];
      head.shifted = now;
    }
    return head;
  }

  return {
    from(taskQueueId) {
      const head = headOf(taskQueueId);
      if (clock.now() >= head.fullScanDue) return QUEUE_START;
      return QUEUE_START.map(({ priority }) => ({ priority, seq: head.settled[priority] ?? 0 }));
    },
    recordClaimed(taskQueueId, runs, { from, ms }) {
      const head = headOf(taskQueueId);
      for (const { priority, seq } of runs) head.latest[priority] = Math.max(head.latest[priority] ?? 0, seq);
      if (from === QUEUE_START) head.fullScanDue = clock.now() + Math.max(LAG_MS, ms / FULL_SCAN_SHARE);
    },
    onReordered: (callback) =>
      wakeUps.subscribe(reorderedTopic, () => {
        heads.clear();
        callback();
      }),
  };
}
