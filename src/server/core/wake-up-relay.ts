// Relays wake-ups between the processes that share a database, with NOTIFY and LISTEN.
import { randomBytes } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import { createAsyncEvent } from "./async-event.ts";
import type { Db, DbLog } from "./db.ts";
import { listen } from "./listen.ts";
import { sql } from "./sql.ts";
import type { WakeUps } from "./wake-ups.ts";

export interface WakeUpRelay {
  /** Sends the wake-ups that are still to be sent, then stops listening. */
  stop(): Promise<void>;
}

export interface WakeUpRelayOptions {
  readonly url: string;
  readonly db: Db;
  readonly wakeUps: Pick<WakeUps, "onWake" | "receive">;
  readonly clock: Clock;
  /** Other processes are notified at most once in this time: the first wake-up immediately, the next ones together. */
  readonly intervalMs: number;
  /** Passed to `listen`. */
  readonly maxAgeMs?: number;
  readonly log?: DbLog;
}

const channel = "taskyard_wake";
// PostgreSQL accepts less than 8000 bytes.
const maxPayload = 7_900;

/** What processes send each other: topics, or their presence. */
interface Message {
  readonly process: string;
  /** `*` means all of them. */
  readonly topics?: readonly string[];
  readonly presence?: "hello" | "here";
}

/**
 * Starts the relay; resolves when it listens. NOTIFY is not part of the transactions that change things: it takes a
 * lock that is held until the commit has reached the disk, which would serialize all commits.
 *
 * A process without peers sends no topics: each announces itself when it begins to listen, and notifies only after it has
 * received a message from another process. Under load, a NOTIFY every 10 ms would cost 1 to 2% of a core.
 */
export async function startWakeUpRelay(options: WakeUpRelayOptions): Promise<WakeUpRelay> {
  const { url, db, wakeUps, clock, intervalMs, maxAgeMs, log } = options;
  const self = randomBytes(6).toString("base64url");
  const ended = createAsyncEvent(clock);
  let outgoing = new Set<string>();
  let hasPeers = false;
  let sending: Promise<void> | undefined;
  let stopped = false;

  const listener = listen({
    url,
    channel,
    clock,
    ...(log && { log }),
    ...(maxAgeMs !== undefined && { maxAgeMs }),
    onMessage: receive,
    // Notifications sent in the meantime are lost. Processes may have started that assume they are alone.
    onReconnect: () => {
      void announce("hello");
      wakeUps.receive("all");
    },
  });
  await listener.ready;
  const detach = wakeUps.onWake(send);
  await announce("hello");

  function send(topics: Iterable<string>): void {
    if (!hasPeers) return;
    for (const topic of topics) outgoing.add(topic);
    sending ??= sendAll();
  }

  async function sendAll(): Promise<void> {
    while (outgoing.size > 0) {
      const topics = [...outgoing];
      outgoing = new Set();
      const pause = stopped ? undefined : ended.wait(intervalMs);
      // The polls of the subscribers make up for a lost one.
      await notify({ process: self, topics }).catch((err: unknown) => log?.warn({ err }, "NOTIFY failed"));
      await pause;
    }
    sending = undefined;
  }

  async function notify(message: Message): Promise<void> {
    let payload = JSON.stringify(message);
    if (Buffer.byteLength(payload) > maxPayload) payload = JSON.stringify({ ...message, topics: ["*"] });
    await db.run(sql`select pg_notify(${channel}, ${payload})`);
  }

  async function announce(presence: "hello" | "here"): Promise<void> {
    await notify({ process: self, presence }).catch((err: unknown) => {
      log?.warn({ err }, "NOTIFY failed; assuming that there are other processes");
      hasPeers = true;
    });
  }

  function receive(payload: string): void {
    const message = readMessage(payload);
    if (message === undefined || message.process === self) return;
    if (!hasPeers) {
      // Until now neither process sent the other anything.
      hasPeers = true;
      wakeUps.receive("all");
      send(["*"]);
    }
    if (message.presence === "hello") void announce("here");
    wakeUps.receive(message.topics?.includes("*") ? "all" : (message.topics ?? []));
  }

  return {
    async stop() {
      // Topics woken just before are still sent: their flush is a microtask that was queued earlier than this one.
      await Promise.resolve();
      detach();
      stopped = true;
      ended.set();
      await sending;
      await listener.close();
    },
  };
}

/** Parses a payload. Anyone who may connect to the database can send any notification, so the payload is checked. */
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
