// The door to PostgreSQL: typed queries on a pool, transactions, and what happens when connections break.
import { createHash } from "node:crypto";
import pg from "pg";
import type { Static, TObject } from "typebox";
import { breaksConnection, DatabaseUnavailable, isRetryable, isUnavailable } from "./db-errors.ts";
import { assertRow } from "./row-check.ts";
import type { Sql, StatementResult } from "./sql.ts";

export { DatabaseUnavailable, isRetryable, isUniqueViolation } from "./db-errors.ts";
export { Bytes, Timestamp } from "./row-check.ts";

/** What both the pool and an open transaction offer. */
export interface Queryable {
  /** Every row, typed by (and in tests checked against) the given row schema. */
  many<T extends TObject>(row: T, query: Sql): Promise<Static<T>[]>;
  /** The first row, or undefined where there is none. */
  maybeOne<T extends TObject>(row: T, query: Sql): Promise<Static<T> | undefined>;
  /** Runs a statement for its effect; answers the number of rows it touched. */
  run(query: Sql): Promise<number>;
}

/** Statements outside of a transaction that lose a deadlock are run again. */
export interface Db extends Queryable {
  /** Runs `body` in one transaction (READ COMMITTED): committed if it resolves, rolled back if it rejects. */
  tx<R>(body: (tx: Queryable) => Promise<R>): Promise<R>;
  /** Waits for the statements under way, then closes every connection. */
  close(): Promise<void>;
}

/** Where the database layer reports what no caller gets to see; a pino logger fits. */
export interface DbLog {
  warn(fields: object, message: string): void;
}

export interface DbOptions {
  /** `postgres://user:password@host:port/database`, or with `?host=/folder` for a Unix socket. */
  url: string;
  /** Most connections at once; default 10. */
  poolSize?: number;
  /** Checks every row against its schema; for tests, since it costs as much as the parsing of the row. */
  checkRows?: boolean;
  /** A statement that takes longer is cancelled and gives DatabaseUnavailable; default 60 s, 0 = no limit. */
  statementTimeoutMs?: number;
  /** Longest wait for the answer beyond `statementTimeoutMs`; then the connection is given up; default 5 s. */
  answerGraceMs?: number;
  /** Longest wait for a connection, new or free; default 10 s. */
  connectTimeoutMs?: number;
  /**
   * How statements are planned. `steady` (the default) is for statements that reach few rows through indexes;
   * `adaptive` leaves it to PostgreSQL, for reports over whole tables. See docs/decisions/004.
   */
  plans?: "steady" | "adaptive";
  /** Called with each topic that a statement wakes (see `waking`), after it has committed. */
  wake?: (topic: string) => void;
  log?: DbLog;
}

// Settings of PostgreSQL. Plans once a connection instead of every time (1 ms instead of 4 to 8 for creating one
// task), and only plans that stay good when a table grows a thousandfold behind the planner's back: with hash joins and
// scans allowed, claims went from 1 ms to 200 ms when 100,000 rows came between two runs of `analyze`.
export const steadyPlans: readonly string[] = [
  "plan_cache_mode=force_generic_plan",
  "enable_seqscan=off",
  "enable_bitmapscan=off",
  "enable_hashjoin=off",
  "enable_mergejoin=off",
  "jit=off",
];

/**
 * Opens a pool on a database. Nothing connects until the first statement.
 *
 * What columns become: int8 a number (it throws beyond 2^53, rather than round), numeric text, timestamptz a
 * Date, json and jsonb parsed values (the hot statements select `::text` and get the text as it is), other
 * types without a JavaScript form (xid8, uuid, inet …) their text.
 *
 * Every error that is the database's fault, not the statement's, is a DatabaseUnavailable.
 */
export function openDb(options: DbOptions): Db {
  const { checkRows = false, statementTimeoutMs = 60_000, answerGraceMs = 5_000, wake, log } = options;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize ?? 10,
    idleTimeoutMillis: 600_000,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    statement_timeout: statementTimeoutMs,
    // A connection that is dead without a word (a firewall that forgot it) never answers, not even by cancelling.
    query_timeout: statementTimeoutMs === 0 ? 0 : statementTimeoutMs + answerGraceMs,
    keepAlive: true,
    application_name: "taskyard",
    options: options.plans === "adaptive" ? "" : steadyPlans.map((setting) => `-c ${setting}`).join(" "),
    types: { getTypeParser },
  });
  // Without these two listeners a connection that dies while idle, or between two statements of a
  // transaction, would end the process with an uncaught 'error' event.
  let closing = false;
  pool.on("error", (err) => {
    // The message alone: the pool hangs its whole client on the error, with the text of every statement. And while
    // we close, a server that goes down with us is no news.
    if (!closing)
      log?.warn({ reason: err.message }, "an idle database connection broke; the pool replaces it");
  });
  pool.on("connect", (client) => client.on("error", () => undefined));

  // Not pool.query: it drops the connection, with all its prepared statements, after any failed statement,
  // be it only a unique violation.
  const once = async (query: Sql): Promise<pg.QueryResult> => {
    const client = await pool.connect().catch(rethrow);
    let failure: unknown;
    try {
      return await client.query(prepared(query));
    } catch (err) {
      failure = err;
      return rethrow(err);
    } finally {
      client.release(breaksConnection(failure));
    }
  };

  const onPool = async (query: Sql): Promise<pg.QueryResult> => {
    let result: StatementResult = failed;
    try {
      return (result = await retrying(() => once(query)));
    } finally {
      if (wake) for (const topic of topicsOf(query, result)) wake(topic);
    }
  };

  return {
    ...queryable(onPool, checkRows),
    async tx(body) {
      const client = await pool.connect().catch(rethrow);
      const topics = new Set<string>();
      let open = true;
      let broken = false;
      const inTx = async (query: Sql): Promise<pg.QueryResult> => {
        // By now the connection may serve somebody else.
        if (!open) throw new Error(`the transaction has ended; was a statement not awaited? ${query.text}`);
        let result: StatementResult = failed;
        try {
          return (result = await client.query(prepared(query)));
        } catch (err) {
          broken ||= breaksConnection(err);
          return rethrow(err);
        } finally {
          for (const topic of topicsOf(query, result)) topics.add(topic);
        }
      };
      try {
        await inTx(begin);
        const result = await body(queryable(inTx, checkRows));
        // After a failed statement whose error the body swallowed, PostgreSQL answers `commit` with ROLLBACK
        // and no error: the caller would believe in work that is gone.
        const { command } = await inTx(commit);
        if (command !== "COMMIT")
          throw new Error("a statement of the transaction failed: nothing was committed");
        return result;
      } catch (err) {
        // A session whose rollback fails is in an unknown state, so it must not be used again.
        if (!broken) await client.query("rollback").catch(() => (broken = true));
        throw err;
      } finally {
        open = false;
        client.release(broken);
        // Also after a rollback: it releases locks because of which others skipped rows. A spurious wake-up is harmless.
        if (wake) for (const topic of topics) wake(topic);
      }
    },
    close() {
      closing = true;
      return pool.end();
    },
  };
}

const MAX_TRIES = 5;

/**
 * Does again what lost a deadlock: a statement by itself, or a transaction whose body does nothing but statements. Also
 * one that locks a single row loses some, of others: it waits in the line for a row that is part of theirs, and whoever
 * waits longest is ended. That takes a second each time, so nothing has to be waited for between the tries.
 */
export async function retrying<R>(attempt: () => Promise<R>): Promise<R> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (err) {
      if (tries === MAX_TRIES || !isRetryable(err)) throw err;
    }
  }
}

const begin: Sql = { text: "begin", values: [] };
const commit: Sql = { text: "commit", values: [] };

const failed: StatementResult = { rows: [], rowCount: 0 };
const noTopics: readonly string[] = [];

/** Returns the topics that a statement with this result wakes. */
const topicsOf = ({ wakes }: Sql, result: StatementResult): readonly string[] =>
  wakes ? wakes.flatMap((topics) => [...topics(result)]) : noTopics;

type Execute = (query: Sql) => Promise<pg.QueryResult>;

function queryable(execute: Execute, checkRows: boolean): Queryable {
  // The one place where rows get their type without a check: in tests each row was checked just above. `never`
  // and not `Static<T>[]`: comparing that for an unknown T costs the compiler 1.2 million instantiations.
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

function rethrow(err: unknown): never {
  if (isUnavailable(err) && !(err instanceof DatabaseUnavailable)) throw new DatabaseUnavailable(err);
  throw err;
}

// Statement names by text. It cannot grow without bound: texts are literals of the program, values are not in them.
const names = new Map<string, string>();

// Each statement is prepared once a connection: planning the large statements costs more than running them.
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
  throw new RangeError(`int8 ${text} does not fit a number: select it as text`);
}

const int8: number = pg.types.builtins.INT8;

const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: "text" | "binary") =>
  oid === int8 ? parseInt8 : pg.types.getTypeParser(oid, format);
