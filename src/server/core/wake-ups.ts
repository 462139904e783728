// Wake-ups: "something was committed that you may wait for", within the process at once and across processes by
// NOTIFY. They are hints: one may be lost when a connection breaks, so whoever waits also polls, slowly.
import { randomBytes } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { Db, DbLog } from "./db.ts";
import { listen } from "./listen.ts";
import { sql } from "./sql.ts";

export interface WakeUps {
  /**
   * Wakes the subscribers of `topic` (such as `events` or `pending:<taskQueueId>`): those of this process before
   * the next turn of its event loop, those of others within the interval. Call it after the commit.
   */
  wake(topic: string): void;
  /** Calls `callback` whenever `topic` was woken, once for any number of wake-ups in a row; answers how to end that. */
  subscribe(topic: string, callback: () => void): () => void;
  /** Sends what is still to be told, then stops listening. */
  stop(): Promise<void>;
}

export interface WakeUpOptions {
  readonly url: string;
  readonly db: Db;
  readonly clock: Clock;
  /** Other processes are told at most once in this time: the first wake-up at once, the next ones together. */
  readonly intervalMs: number;
  readonly log?: DbLog;
}

const channel = "taskyard_wake";
// PostgreSQL takes less than 8000 bytes.
const maxPayload = 7_900;

/** What processes tell each other: topics, or who is there. */
interface Message {
  readonly process: string;
  /** `*` stands for all of them. */
  readonly topics?: readonly string[];
  readonly presence?: "hello" | "here";
}

/**
 * Listens for other processes; resolves when it does. NOTIFY stays out of the transactions that change things: it
 * takes a lock that is held until the commit has reached the disk, so it would put all commits in a row.
 *
 * A process that is alone sends nothing: each says hello when it begins to listen, and notifies only when
 * it has heard of another. Under load a NOTIFY every 10 ms would cost 1 to 2 % of a core.
 */
export async function createWakeUps({ url, db, clock, intervalMs, log }: WakeUpOptions): Promise<WakeUps> {
  const self = randomBytes(6).toString("base64url");
  const callbacks = new Map<string, Set<() => void>>();
  let woken = new Set<string>();
  let outgoing = new Set<string>();
  let hasPeers = false;
  let sending: Promise<void> | undefined;
  let endPause = (): void => undefined;
  let stopped = false;

  const listener = listen({
    url,
    channel,
    clock,
    ...(log && { log }),
    onMessage: receive,
    // What was said in the meantime is lost. Others may have come, who think that nobody else is there.
    onReconnect: () => {
      void say("hello");
      callAll();
    },
  });
  await listener.ready;
  await say("hello");

  function wake(topic: string): void {
    if (woken.size === 0) queueMicrotask(flush);
    woken.add(topic);
  }

  function flush(): void {
    const topics = woken;
    woken = new Set();
    for (const topic of topics) for (const callback of callbacks.get(topic) ?? []) call(callback);
    tellOthers(topics);
  }

  function call(callback: () => void): void {
    try {
      callback();
    } catch (err) {
      log?.warn({ err }, "a subscriber of a wake-up failed");
    }
  }

  function callAll(): void {
    for (const subscribed of callbacks.values()) for (const callback of subscribed) call(callback);
  }

  function tellOthers(topics: Iterable<string>): void {
    if (!hasPeers) return;
    for (const topic of topics) outgoing.add(topic);
    sending ??= sendAll();
  }

  async function sendAll(): Promise<void> {
    while (outgoing.size > 0) {
      const topics = [...outgoing];
      outgoing = new Set();
      const pause = new Promise<void>((resolve) => {
        const cancel = clock.after(intervalMs, resolve);
        endPause = () => (cancel(), resolve());
      });
      // A lost one is made up for by the poll of whoever waits.
      await notify({ process: self, topics }).catch((err: unknown) => log?.warn({ err }, "NOTIFY failed"));
      if (!stopped) await pause;
    }
    sending = undefined;
  }

  async function notify(message: Message): Promise<void> {
    let payload = JSON.stringify(message);
    if (Buffer.byteLength(payload) > maxPayload) payload = JSON.stringify({ ...message, topics: ["*"] });
    await db.run(sql`select pg_notify(${channel}, ${payload})`);
  }

  async function say(presence: "hello" | "here"): Promise<void> {
    await notify({ process: self, presence }).catch((err: unknown) => {
      log?.warn({ err }, "NOTIFY failed; assuming that there are other processes");
      hasPeers = true;
    });
  }

  function receive(payload: string): void {
    const message = readMessage(payload);
    if (message === undefined || message.process === self) return;
    if (!hasPeers) {
      // Up to here neither told the other anything.
      hasPeers = true;
      callAll();
      tellOthers(["*"]);
    }
    if (message.presence === "hello") void say("here");
    if (message.topics?.includes("*")) return callAll();
    for (const topic of message.topics ?? [])
      for (const callback of callbacks.get(topic) ?? []) call(callback);
  }

  return {
    wake,
    subscribe(topic, callback) {
      const subscribed = callbacks.get(topic) ?? new Set();
      callbacks.set(topic, subscribed);
      // Its own function, so that one callback given twice is two subscriptions.
      const own = (): void => callback();
      subscribed.add(own);
      return () => {
        subscribed.delete(own);
        if (subscribed.size === 0 && callbacks.get(topic) === subscribed) callbacks.delete(topic);
      };
    },
    async stop() {
      stopped = true;
      if (woken.size > 0) flush();
      endPause();
      await sending;
      await listener.close();
    },
  };
}

/** Whoever may connect to the database may notify anything, so nothing is taken for granted. */
function readMessage(payload: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    if (typeof value !== "object" || value === null) return undefined;
    const { process, topics, presence } = value as Record<string, unknown>;
    if (typeof process !== "string") return undefined;
    return {
      process,
      ...(Array.isArray(topics) && { topics: topics.filter((topic) => typeof topic === "string") }),
      ...((presence === "hello" || presence === "here") && { presence }),
    };
  } catch {
    return undefined;
  }
}
