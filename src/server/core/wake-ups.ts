// Topics of a process: code that waits for something in the database subscribes, and `Db` wakes after the commit.
//
// Wake-ups are hints. One may be lost (the process dies after the commit, a connection breaks), so every subscriber
// also polls, slowly. Other processes receive them through the relay, see wake-up-relay.ts.
import type { DbLog } from "./db.ts";

export interface WakeUps {
  /**
   * Wakes the subscribers of `topic`, for example `pending:<taskQueueId>`, before the next iteration of the event loop.
   * Statements wake topics through `Db`, see `waking` in sql.ts; other callers must do it after the commit.
   */
  wake(topic: string): void;
  /**
   * Calls `callback` when `topic` is woken, once for any number of wake-ups in a row. `missed` is true if earlier ones may
   * have been lost, for example because the connection for notifications was broken. Returns the unsubscribe function.
   */
  subscribe(topic: string, callback: (missed: boolean) => void): () => void;
  /** Calls `forward` with all topics that this process wakes, for the relay. Returns the function that ends it. */
  onWake(forward: (topics: ReadonlySet<string>) => void): () => void;
  /** Calls the subscribers of topics that another process woke. `all`: of every topic. */
  receive(topics: Iterable<string> | "all"): void;
}

export function createWakeUps({ log }: { readonly log?: DbLog } = {}): WakeUps {
  const callbacks = new Map<string, Set<(missed: boolean) => void>>();
  const forwards = new Set<(topics: ReadonlySet<string>) => void>();
  let woken = new Set<string>();

  function flush(): void {
    const topics = woken;
    woken = new Set();
    callAll(topics, false);
    for (const forward of forwards) forward(topics);
  }

  function callAll(topics: Iterable<string>, missed: boolean): void {
    for (const topic of topics) for (const callback of callbacks.get(topic) ?? []) call(callback, missed);
  }

  function call(callback: (missed: boolean) => void, missed: boolean): void {
    try {
      callback(missed);
    } catch (err) {
      log?.warn({ err }, "a subscriber of a wake-up failed");
    }
  }

  return {
    wake(topic) {
      if (woken.size === 0) queueMicrotask(flush);
      woken.add(topic);
    },
    subscribe(topic, callback) {
      const subscribed = callbacks.get(topic) ?? new Set();
      callbacks.set(topic, subscribed);
      // Wrapped, so that subscribing the same callback twice creates two subscriptions.
      const own = (missed: boolean): void => callback(missed);
      subscribed.add(own);
      return () => {
        subscribed.delete(own);
        if (subscribed.size === 0 && callbacks.get(topic) === subscribed) callbacks.delete(topic);
      };
    },
    onWake(forward) {
      forwards.add(forward);
      return () => forwards.delete(forward);
    },
    receive: (topics) => (topics === "all" ? callAll(callbacks.keys(), true) : callAll(topics, false)),
  };
}
