// Receives notifications (NOTIFY) of other processes on a dedicated connection, which is replaced when it breaks.
import pg from "pg";
import { backoffDelay } from "../../lib/backoff.ts";
import { systemClock, type Clock } from "../../lib/clock.ts";
import type { DbLog } from "./db.ts";
import { MAX_AGE_MS } from "./db-sessions.ts";
import { InternalError } from "../../lib/internal-error.ts";

export interface ListenOptions {
  url: string;
  /** Name of the channel, as in `notify channel`. */
  channel: string;
  onMessage: (payload: string) => void;
  /**
   * Called when listening resumes after a break. Notifications sent in between are lost, so read again whatever the
   * messages announce.
   */
  onReconnect?: () => void;
  clock?: Clock;
  /** An older connection is replaced, in case the address leads to another server now. Default: 30 min. */
  maxAgeMs?: number;
  /** Timeout for connecting and for the reply to a heartbeat. Default: 10 s. */
  replyTimeoutMs?: number;
  log?: DbLog;
}

export interface Listener {
  /** Resolves when listening begins for the first time. Stays pending while the database is unavailable. */
  ready: Promise<void>;
  /** Closes the connection. No callback runs afterwards. */
  close(): Promise<void>;
}

const backoff = { baseMs: 100, maxMs: 5_000, jitter: 0.25 };

// A connection can be dead without an error at either end, for example when a firewall has dropped its state.
const heartbeatMs = 30_000;

/** Listens until closed. An unavailable database is not an error: connecting is retried with backoff of up to 5 s. */
export function listen(options: ListenOptions): Listener {
  const { url, channel, onMessage, onReconnect, clock = systemClock, log } = options;
  const { maxAgeMs = MAX_AGE_MS, replyTimeoutMs = 10_000 } = options;
  let current: pg.Client | undefined;
  let failures = 0;
  let cancelTimer = (): void => undefined;
  let onReady: (() => void) | undefined;
  const ready = new Promise<void>((resolve) => (onReady = resolve));

  const connect = (): void => {
    const client = new pg.Client({
      connectionString: url,
      application_name: "taskyard listen",
      connectionTimeoutMillis: replyTimeoutMs,
      query_timeout: replyTimeoutMs,
    });
    current = client;
    client.on("notification", ({ payload }) => {
      if (client === current) onMessage(payload ?? "");
    });
    client.on("error", (err) => reconnect(client, err));
    client.on("end", () => reconnect(client, new InternalError("the connection ended")));
    startListening(client).catch((err: unknown) => reconnect(client, err));
  };

  const startListening = async (client: pg.Client): Promise<void> => {
    await client.connect();
    await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    if (client !== current) return;
    failures = 0;
    scheduleHeartbeat(client, clock.now() + maxAgeMs);
    if (onReady === undefined) return onReconnect?.();
    onReady();
    onReady = undefined;
  };

  const scheduleHeartbeat = (client: pg.Client, expires: number): void => {
    cancelTimer = clock.after(heartbeatMs, () => {
      if (clock.now() >= expires) return replace(client);
      client.query("select").then(
        () => client === current && scheduleHeartbeat(client, expires),
        (err: unknown) => reconnect(client, err),
      );
    });
  };

  const replace = (client: pg.Client): void => {
    current = undefined;
    client.end().catch(() => undefined);
    connect();
  };

  /** Drops a broken connection and schedules the next one. Several errors of one connection count once. */
  const reconnect = (client: pg.Client, err: unknown): void => {
    if (client !== current) return;
    current = undefined;
    cancelTimer();
    client.end().catch(() => undefined);
    const delayMs = backoffDelay(failures, backoff);
    failures += 1;
    log?.warn({ err, channel, delayMs }, "the connection for notifications broke; reconnecting");
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
      // A dead connection never confirms its end.
      const timeout = new Promise<void>((resolve) => clock.after(1_000, resolve));
      await Promise.race([client.end().catch(() => undefined), timeout]);
    },
  };
}
