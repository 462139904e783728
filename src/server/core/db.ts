// Access to PostgreSQL: typed queries on a pool, transactions, and the errors of broken connections.
import { createHash } from "node:crypto";
import pg from "pg";
import type { Static, TObject } from "typebox";
import { retry } from "../../lib/retry.ts";
import { DatabaseUnavailable, isRetryable } from "./db-errors.ts";
import { openSessions, StaleSession, type DbLog, type Session, type Sessions } from "./db-sessions.ts";
import { assertRow } from "./row-check.ts";
import type { Sql, StatementResult } from "./sql.ts";
import { InternalError } from "../../lib/internal-error.ts";

export { DatabaseUnavailable, isRetryable, isUniqueViolation } from "./db-errors.ts";
export type { DbLog } from "./db-sessions.ts";
export { Bytes, Timestamp } from "./row-check.ts";

/** The statements that both the pool and an open transaction offer. */
export interface Queryable {
  /** Returns every row, typed by (and in tests checked against) the given row schema. */
  many<T extends TObject>(row: T, query: Sql): Promise<Static<T>[]>;
  /** Returns the first row, or undefined if there is none. */
  maybeOne<T extends TObject>(row: T, query: Sql): Promise<Static<T> | undefined>;
  /** Runs a statement for its effect. Returns the number of rows that it changed or returned. */
  run(query: Sql): Promise<number>;
}

/**
 * A pool of connections. Statements outside of a transaction, and whole transactions, that are the victim of a deadlock
 * are retried. After a commit it wakes the topics of the statements, see `waking`.
 */
export interface Db extends Queryable {
  /**
   * Runs `body` in one transaction (READ COMMITTED): committed if it resolves, rolled back if it rejects. After a
   * deadlock `body` runs again, so it must do nothing but statements and what may be done twice.
   */
  tx<R>(body: (tx: Queryable) => Promise<R>): Promise<R>;
  /** For statements that read whole tables: a small pool of its own without the restrictions on plans. */
  readonly reports: Queryable;
  /** Waits for the statements in flight, then closes every connection. */
  close(): Promise<void>;
}

export interface DbOptions {
  /** `postgres://user:password@host:port/database`, or with `?host=/folder` for a Unix socket. */
  url: string;
  /** Upper bound of the connections, without those for reports; default 10. */
  poolSize?: number;
  /** Checks every row against its schema; for tests, because it costs as much as parsing the row. */
  checkRows?: boolean;
  /** A statement that takes longer is canceled and fails as DatabaseUnavailable; default 60 s, 0 means no limit. */
  statementTimeoutMs?: number;
  /** Longest wait for a reply beyond `statementTimeoutMs`, after which the connection is closed; default 5 s. */
  replyGraceMs?: number;
  /** Longest wait for a connection, new or free; default 10 s. */
  connectTimeoutMs?: number;
  /** Older connections are replaced; default 30 min. */
  maxAgeMs?: number;
  /** Called with each topic that a statement wakes (see `waking`), after it has committed. */
  wake?: (topic: string) => void;
  log?: DbLog;
}

// Settings of PostgreSQL. One plan per statement and connection instead of one per execution (1 ms instead of 4 to 8 for
// creating one task), and only plans that stay good when a table grows a thousandfold between two runs of `analyze`: with
// hash joins and scans allowed, claims went from 1 ms to 200 ms when 100,000 rows were added. See docs/decisions/003 and 004.
export const steadyPlans: readonly string[] = [
  "plan_cache_mode=force_generic_plan",
  "enable_seqscan=off",
  "enable_bitmapscan=off",
  "enable_hashjoin=off",
  "enable_mergejoin=off",
  "jit=off",
];

/** Reports are rare, so few connections are enough, and they are closed soon after. */
const reportConnections = { max: 2, idleTimeoutMillis: 30_000 };

/**
 * Opens a pool on a database. Nothing connects before the first statement.
 *
 * Column types: int8 becomes a number (beyond 2^53 it throws instead of rounding), numeric text, timestamptz a Date, json
 * and jsonb parsed values (the hot statements select `::text` to get the text), and types without a JavaScript
 * counterpart (xid8, uuid, inet …) their text.
 *
 * Errors that the database, not the statement, is to blame for are thrown as DatabaseUnavailable.
 */
export function openDb(options: DbOptions): Db {
  const { checkRows = false, statementTimeoutMs = 60_000, replyGraceMs = 5_000, wake, log } = options;
  const common: pg.PoolConfig = {
    connectionString: options.url,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    statement_timeout: statementTimeoutMs,
    // A connection that is dead without an error (a firewall dropped its state) never replies, not even to a cancel.
    query_timeout: statementTimeoutMs === 0 ? 0 : statementTimeoutMs + replyGraceMs,
    keepAlive: true,
    application_name: "taskyard",
    types: { getTypeParser },
  };
  let closing = false;
  const open = (config: pg.PoolConfig): Sessions =>
    openSessions({ pool: { ...common, ...config }, maxAgeMs: options.maxAgeMs, log });
  const sessions = open({
    max: options.poolSize ?? 10,
    idleTimeoutMillis: 600_000,
    options: steadyPlans.map((setting) => `-c ${setting}`).join(" "),
  });
  let reportSessions: Sessions | undefined;

  const onReportPool: Execute = (query) => {
    reportSessions ??= closing ? sessions : open(reportConnections);
    return execute(reportSessions, query, wake);
  };
  return {
    ...queryable((query) => execute(sessions, query, wake), checkRows),
    tx: (body) => repeated(() => transaction(sessions, body, checkRows, wake)),
    reports: queryable(onReportPool, checkRows),
    async close() {
      closing = true;
      await Promise.all([sessions.end(), reportSessions?.end()]);
    },
  };
}

// Even single-row updates can be the victim of a deadlock: they queue for a row that another statement needs next. There
// is no delay between the tries, because detecting a deadlock takes a second.
const again = {
  tries: 5,
  retryable: (err: unknown) => err instanceof StaleSession || isRetryable(err),
};

/** Repeats a statement or transaction after a deadlock, or on a new session. */
const repeated = <R>(once: () => Promise<R>): Promise<R> =>
  retry(again, once).catch((err: unknown) => {
    const isDriverError = !(err instanceof DatabaseUnavailable);
    throw isDriverError && isRetryable(err) ? new DatabaseUnavailable(err, "conflict") : err;
  });

/** Runs a statement by itself and wakes its topics. */
async function execute(sessions: Sessions, query: Sql, wake: DbOptions["wake"]): Promise<pg.QueryResult> {
  let result: StatementResult = noResult;
  try {
    return (result = await repeated(() => executeOnce(sessions, query)));
  } finally {
    if (wake) for (const topic of topicsOf(query, result)) wake(topic);
  }
}

// Not pool.query: it closes the connection, with all its prepared statements, after any statement that failed, even after
// a unique violation.
async function executeOnce(sessions: Sessions, query: Sql): Promise<pg.QueryResult> {
  const session = await sessions.acquire();
  try {
    return await runOn(session, query);
  } finally {
    session.release();
  }
}

const runOn = ({ client, failure }: Session, query: Sql): Promise<pg.QueryResult> =>
  client.query(prepared(query)).catch((err: unknown) => {
    throw failure(err);
  });

/** Runs a transaction once and wakes the topics of its statements. */
async function transaction<R>(
  sessions: Sessions,
  body: (tx: Queryable) => Promise<R>,
  checkRows: boolean,
  wake: DbOptions["wake"],
): Promise<R> {
  const session = await sessions.acquire();
  const topics = new Set<string>();
  let open = true;
  const inTx: Execute = async (query) => {
    // By now the connection may be used by another caller.
    if (!open)
      throw new InternalError(`the transaction has ended; was a statement not awaited? ${query.text}`);
    let result: StatementResult = noResult;
    try {
      return (result = await runOn(session, query));
    } finally {
      for (const topic of topicsOf(query, result)) topics.add(topic);
    }
  };
  try {
    await inTx(begin);
    const result = await body(queryable(inTx, checkRows));
    // If the body swallowed the error of a statement, PostgreSQL replies to `commit` with ROLLBACK and without an
    // error: the caller would assume that its changes are stored.
    const { command } = await inTx(commit);
    if (command !== "COMMIT")
      throw new InternalError("a statement of the transaction failed: nothing was committed");
    return result;
  } catch (err) {
    // A session whose rollback fails is in an unknown state, so it must not be used again.
    if (!session.isBroken) await session.client.query("rollback").catch(session.discard);
    throw err;
  } finally {
    open = false;
    session.release();
    // Also after a rollback: it releases locks that made other statements skip rows. A spurious wake-up is harmless.
    if (wake) for (const topic of topics) wake(topic);
  }
}

const begin: Sql = { text: "begin", values: [] };
const commit: Sql = { text: "commit", values: [] };

const noResult: StatementResult = { rows: [], rowCount: 0 };
const noTopics: readonly string[] = [];

/** Returns the topics that a statement with this result wakes. */
const topicsOf = ({ wakes }: Sql, result: StatementResult): readonly string[] =>
  wakes ? wakes.flatMap((topics) => [...topics(result)]) : noTopics;

type Execute = (query: Sql) => Promise<pg.QueryResult>;

function queryable(execute: Execute, checkRows: boolean): Queryable {
  // The one place where rows get their type without a check; in tests each row is checked just above. `never[]` and not
  // `Static<T>[]`: comparing that for an unknown T costs the compiler 1.2 million instantiations.
  const rows = async (row: TObject, query: Sql): Promise<never[]> => {
    const result: { rows: unknown[] } = await execute(query);
    if (checkRows) for (const value of result.rows) assertRow(row, value, query);
    return result.rows as never[];
  };
  return {
    many: rows,
    maybeOne: async (row, query) => (await rows(row, query))[0],
    run: async (query) => (await execute(query)).rowCount ?? 0,
  };
}

// Statement names by text. Bounded, because texts are literals of the program that contain no values.
const names = new Map<string, string>();

// Each statement is prepared once per connection: planning the large statements costs more than running them.
function prepared(query: Sql): pg.QueryConfig {
  const { text, values } = query;
  let name = names.get(text);
  if (name === undefined) {
    name = createHash("sha256").update(text).digest("base64url").slice(0, 22);
    names.set(text, name);
  }
  return { name, text, values: [...values] };
}

// PostgreSQL's int8 is wider than a number.
function parseInt8(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new InternalError(`int8 ${text} does not fit a number: select it as text`);
}

const int8: number = pg.types.builtins.INT8;

const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: "text" | "binary") =>
  oid === int8 ? parseInt8 : pg.types.getTypeParser(oid, format);
