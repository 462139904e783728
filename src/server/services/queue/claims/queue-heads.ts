// Where the pending runs of each queue begin, so that a claim does not read again what was handed out long ago.
//
// A handed-out run leaves a dead entry at the head of its queue's index. PostgreSQL forgets dead entries when no
// transaction is left that may see them; while a dump or a forgotten session holds an old snapshot it forgets
// none, and each claim would read all of them: 20 ms after 100,000 claims, more with each. See docs/decisions/018.
import { LRUCache } from "lru-cache";
import { PRIORITIES } from "../../../../api/queue/task.ts";
import type { QueueContext } from "../context.ts";
import { reorderedTopic } from "../sql/wakes.ts";
import { QUEUE_START, type QueuePosition } from "./store/claim-pending.ts";

export interface QueueHeads {
  /** The first place that a claim has to look at, for each priority from the highest on. */
  from(taskQueueId: string): readonly QueuePosition[];
  /** Notes what a claim of the queue that looked from there has got, and how long it took. */
  recordClaimed(
    taskQueueId: string,
    runs: readonly QueuePosition[],
    looked: { from: readonly QueuePosition[]; ms: number },
  ): void;
  /** Calls `callback` when everything is to be looked at again, since places have changed; answers how to end that. */
  onReordered(callback: () => void): () => void;
}

/**
 * Claims are noted for so long before they count, and twice as long at the most. Places are drawn before they are
 * committed; a run that takes longer to appear is found by the next look at everything.
 */
const LAG_MS = 2000;
/** Looks at everything take no more than this share of the time. */
const SHARE = 0.02;

interface Head {
  /** By priority, from 1: all before was handed out. */
  settled: readonly number[];
  earlier: readonly number[];
  latest: number[];
  turned: number;
  lookAtAll: number;
}

const none: readonly number[] = [0, ...PRIORITIES.map(() => 0)];

export function createQueueHeads({ clock, wakeUps }: Pick<QueueContext, "clock" | "wakeUps">): QueueHeads {
  const heads = new LRUCache<string, Head>({ max: 10_000 });

  function headOf(taskQueueId: string): Head {
    const now = clock.now();
    let head = heads.get(taskQueueId);
    if (!head) {
      head = { settled: none, earlier: none, latest: [...none], turned: now, lookAtAll: now };
      heads.set(taskQueueId, head);
    }
    if (now - head.turned >= LAG_MS) {
      head.settled = head.earlier;
      head.earlier = [...head.latest];
      head.turned = now;
    }
    return head;
  }

  return {
    from(taskQueueId) {
      const head = headOf(taskQueueId);
      if (clock.now() >= head.lookAtAll) return QUEUE_START;
      return QUEUE_START.map(({ priority }) => ({ priority, seq: head.settled[priority] ?? 0 }));
    },
    recordClaimed(taskQueueId, runs, { from, ms }) {
      const head = headOf(taskQueueId);
      for (const { priority, seq } of runs) head.latest[priority] = Math.max(head.latest[priority] ?? 0, seq);
      if (from === QUEUE_START) head.lookAtAll = clock.now() + Math.max(LAG_MS, ms / SHARE);
    },
    onReordered: (callback) =>
      wakeUps.subscribe(reorderedTopic, () => {
        heads.clear();
        callback();
      }),
  };
}
