// The sessions of a connection pool: replaces those that are broken, old, or left over from before a fail-over.
import pg from "pg";
import { breaksSession, DatabaseUnavailable, isOfStaleSession, outageOf, type Outage } from "./db-errors.ts";

/** Gets warnings about failures that no caller sees; a pino logger fits. */
export interface DbLog {
  warn(fields: object, message: string): void;
}

export interface Session {
  readonly client: pg.PoolClient;
  /** Whether the session has ended or is in an unknown state. */
  readonly isBroken: boolean;
  /** Converts an error of a statement to the one to throw, and takes note of what it says about the session. */
  failure(err: unknown): unknown;
  /** Returns the session to the pool, or closes it. */
  release(): void;
  /** Closes the session at its release. */
  discard(): void;
}

export interface Sessions {
  /** Throws DatabaseUnavailable if there is no session within the time limit. */
  acquire(): Promise<Session>;
  /** Waits for the sessions in use, then closes all. */
  end(): Promise<void>;
}

/** The default of the greatest age of a session, in milliseconds. */
export const MAX_AGE_MS = 1_800_000;

export interface SessionsOptions {
  readonly pool: pg.PoolConfig;
  /** Older sessions are replaced, so that a change of the address or of the database's settings takes effect. */
  readonly maxAgeMs?: number | undefined;
  readonly log?: DbLog | undefined;
}

/**
 * The session of a failed statement does not match the database any more. Nothing was changed, and the next try gets a
 * session that was opened since.
 */
export class StaleSession extends DatabaseUnavailable {}

// A session whose database was read-only when it began stays so for ever, even if the database accepts writes again. So one
// that fails for this reason is replaced, with all others of its time. That a new one fails too says that the database still
// is read-only: for so long nothing is replaced, because reads go on and each connection costs milliseconds.
const freshForMs = 1_000;
// So that sessions which began together do not all prepare their statements again at the same time.
const ageJitter = 0.2;
const logEveryMs = 30_000;

/** Opens a pool. Nothing connects before the first session is acquired. */
export function openSessions({ pool: config, maxAgeMs = MAX_AGE_MS, log }: SessionsOptions): Sessions {
  const pool = new pg.Pool(config);
  const began = new WeakMap<pg.PoolClient, { at: number; expires: number }>();
  const logged = new Map<Outage, number>();
  /** Sessions that began before this time are replaced. */
  let distrustBefore = 0;
  let ending = false;
  // Without these two listeners a connection that breaks while idle, or between two statements of a transaction,
  // would end the process with an uncaught 'error' event.
  pool.on("error", (err) => {
    // Only the message: the error has a reference to the whole client, with the text of every statement. While
    // ending, the shutdown of an embedded database is expected.
    if (!ending)
      log?.warn({ reason: err.message }, "an idle database connection broke; the pool replaces it");
  });
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
    const at = performance.now();
    began.set(client, { at, expires: at + maxAgeMs * (1 - Math.random() * ageJitter) });
  });

  const isOutdated = (client: pg.PoolClient): boolean => {
    const session = began.get(client);
    return session !== undefined && (session.at < distrustBefore || session.expires < performance.now());
  };

  function unavailable(err: unknown, outage: Outage, Kind = DatabaseUnavailable): DatabaseUnavailable {
    // Each caller gets the error. The operator gets one line, not one for each call.
    const now = performance.now();
    if (!ending && Kind !== StaleSession && outage !== "conflict" && now >= (logged.get(outage) ?? 0)) {
      logged.set(outage, now + logEveryMs);
      const reason = err instanceof Error ? err.message : String(err);
      log?.warn({ outage, reason }, "the database is unavailable; calls that need it get a 503");
    }
    return new Kind(err, outage);
  }

  async function connect(): Promise<pg.PoolClient> {
    for (;;) {
      // Whatever the reason, a wrong password included: the caller of a running server is not to blame for it.
      const client = await pool.connect().catch((err: unknown) => {
        throw unavailable(err, outageOf(err) ?? "unreachable");
      });
      if (!isOutdated(client)) return client;
      client.release(true);
    }
  }

  return {
    async acquire() {
      const client = await connect();
      let isBroken = false;
      return {
        client,
        get isBroken() {
          return isBroken;
        },
        failure(err) {
          isBroken ||= breaksSession(err);
          const outage = outageOf(err);
          if (outage === undefined || err instanceof DatabaseUnavailable) return err;
          // Retried by the caller, which may not be the last one.
          if (outage === "conflict") return err;
          const now = performance.now();
          const isOld = (began.get(client)?.at ?? now) < now - freshForMs;
          if (isOfStaleSession(err) || (outage === "read-only" && isOld)) distrustBefore = now;
          const mayBeStale = isOfStaleSession(err) || outage === "read-only";
          return unavailable(
            err,
            outage,
            mayBeStale && isOutdated(client) ? StaleSession : DatabaseUnavailable,
          );
        },
        release: () => client.release(isBroken || isOutdated(client)),
        discard: () => void (isBroken = true),
      };
    },
    end() {
      ending = true;
      return pool.end();
    },
  };
}
