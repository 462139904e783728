// Hears what other processes say with NOTIFY, on a connection of its own that is made again when it breaks.
import pg from "pg";
import { backoffDelay } from "../../lib/backoff.ts";
import { systemClock, type Clock } from "../../lib/clock.ts";
import type { DbLog } from "./db.ts";

export interface ListenOptions {
  url: string;
  /** Name of the channel, as in `notify channel`. */
  channel: string;
  onMessage: (payload: string) => void;
  /**
   * Called when listening begins anew after a break. What was notified meanwhile is lost, so look at whatever
   * the messages are about.
   */
  onReconnect?: () => void;
  clock?: Clock;
  /** Longest wait for a connection, and for the answer of a heartbeat; default 10 s. */
  answerTimeoutMs?: number;
  log?: DbLog;
}

export interface Listener {
  /** Resolves when listening has begun for the first time; stays pending while there is no database. */
  ready: Promise<void>;
  /** Ends the connection; nothing is called afterwards. */
  close(): Promise<void>;
}

const retry = { baseMs: 100, maxMs: 5_000, jitter: 0.25 };

// A connection can be dead without either end knowing (a firewall that forgot it), so it is tried now and then.
const heartbeatMs = 30_000;

/** Listens until closed. A database that is away is no error: it is tried again, ever less often, up to each 5 s. */
export function listen(options: ListenOptions): Listener {
  const {
    url,
    channel,
    onMessage,
    onReconnect,
    clock = systemClock,
    answerTimeoutMs = 10_000,
    log,
  } = options;
  let current: pg.Client | undefined;
  let failures = 0;
  let cancelTimer = (): void => undefined;
  let onReady: (() => void) | undefined;
  const ready = new Promise<void>((resolve) => (onReady = resolve));

  const connect = (): void => {
    const client = new pg.Client({
      connectionString: url,
      application_name: "taskyard listen",
      connectionTimeoutMillis: answerTimeoutMs,
      query_timeout: answerTimeoutMs,
    });
    current = client;
    client.on("notification", ({ payload }) => {
      if (client === current) onMessage(payload ?? "");
    });
    client.on("error", (err) => giveUp(client, err));
    client.on("end", () => giveUp(client, new Error("the connection ended")));
    begin(client).catch((err: unknown) => giveUp(client, err));
  };

  const begin = async (client: pg.Client): Promise<void> => {
    await client.connect();
    await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    if (client !== current) return;
    failures = 0;
    beat(client);
    if (onReady === undefined) return onReconnect?.();
    onReady();
    onReady = undefined;
  };

  const beat = (client: pg.Client): void => {
    cancelTimer = clock.after(heartbeatMs, () => {
      client.query("select").then(
        () => client === current && beat(client),
        (err: unknown) => giveUp(client, err),
      );
    });
  };

  /** Takes leave of a connection, whichever of its ends is heard of first, and plans the next. */
  const giveUp = (client: pg.Client, err: unknown): void => {
    if (client !== current) return;
    current = undefined;
    cancelTimer();
    client.end().catch(() => undefined);
    const delayMs = backoffDelay(failures, retry);
    failures += 1;
    log?.warn({ err, channel, delayMs }, "the connection for notifications broke; making it again");
    cancelTimer = clock.after(delayMs, connect);
  };

  connect();
  return {
    ready,
    async close() {
      const client = current;
      current = undefined;
      cancelTimer();
      if (client === undefined) return;
      // On a dead connection a goodbye is never answered.
      const patience = new Promise<void>((resolve) => clock.after(1_000, resolve));
      await Promise.race([client.end().catch(() => undefined), patience]);
    },
  };
}
