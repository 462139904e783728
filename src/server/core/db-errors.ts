// Errors of the database: every SQLSTATE and every error of the driver is classified here by what is to be done about it.
import pg from "pg";
import { ApiError } from "../../lib/errors.ts";

/** Why the database cannot run a statement that is valid by itself. */
export type Outage = "unreachable" | "overloaded" | "read-only" | "disk full" | "conflict";

// Sent to callers, so without names of hosts and tables.
const messages: Readonly<Record<Outage, string>> = {
  unreachable: "The database is not available at the moment. Try again shortly.",
  overloaded:
    "The database is overloaded at the moment, or the call needs too much of it. Try again shortly.",
  "read-only":
    "The database is read-only at the moment, as during a fail-over. Nothing was changed. Reading works. " +
    "Try again when it accepts writes, or tell the operator if that takes longer than a few minutes.",
  "disk full":
    "The disk of the database is full. Nothing was changed. Reading works. " +
    "Tell the operator to free or to add space; a repeat fails until then.",
  conflict: "Other calls kept changing the same rows. Nothing was changed. Try again.",
};

// When a repeat is likely to work. Each call tries to connect, so a restart of the database is noticed immediately, and a
// longer wait would only delay calls. A fail-over takes some seconds, and a full disk needs somebody.
const retryAfterMs: Readonly<Record<Outage, number>> = {
  unreachable: 1_000,
  overloaded: 3_000,
  "read-only": 5_000,
  "disk full": 15_000,
  conflict: 1_000,
};

/**
 * The database cannot run the statement at the moment, whatever it is. An ApiError, so that an HTTP handler which does
 * not catch it replies with 503. `cause` is the error of the driver and is never sent. If the database is `unreachable`, it
 * is unknown whether the statement took effect, so retry only idempotent ones.
 */
export class DatabaseUnavailable extends ApiError {
  readonly outage: Outage;
  constructor(cause: unknown, outage: Outage = "unreachable") {
    super("ServiceUnavailable", messages[outage], { cause, retryAfterMs: retryAfterMs[outage] });
    this.name = "DatabaseUnavailable";
    this.outage = outage;
  }
}

/**
 * What an error says about the statement and its session. `lost`: the session has ended, and the database may be down.
 * `stale`: the session does not match the database any more, and a new one would work. `statement`: the statement is wrong.
 */
type Fault = Outage | "lost" | "stale" | "statement";

/** By SQLSTATE, or by its class, which is the first two characters. What is not listed is the fault of the statement. */
const faults: Readonly<Record<string, Fault>> = {
  "08": "lost", // connection exceptions
  "25006": "read-only", // read_only_sql_transaction: a standby, or default_transaction_read_only
  "25P03": "lost", // idle_in_transaction_session_timeout
  "25P04": "lost", // transaction_timeout
  "26000": "stale", // invalid_sql_statement_name: somebody discarded the prepared statements of the session
  "40001": "conflict", // serialization_failure
  "40P01": "conflict", // deadlock_detected
  "53": "overloaded", // insufficient_resources: memory (53200), connections (53300), a configured limit (53400)
  "53100": "disk full",
  "55P03": "overloaded", // lock_not_available: lock_timeout
  "57": "lost", // operator_intervention: shutdown (57P01), crash (57P02), starting (57P03), dropped (57P04), idle (57P05)
  "57014": "overloaded", // query_canceled: statement_timeout, or canceled manually. The session survives.
  "58": "unreachable", // system_error: the operating system failed, for example with an I/O error
};

function faultOf({ code = "", routine }: pg.DatabaseError): Fault {
  // "cached plan must not change result type": a migration has changed a column. The SQLSTATE has many other uses.
  if (code === "0A000" && routine === "RevalidateCachedQuery") return "stale";
  return faults[code] ?? faults[code.slice(0, 2)] ?? "statement";
}

// Errors of the socket. ENOENT and EACCES come from a Unix socket whose server is down or not ready yet.
const socketCodes = new Set([
  "EACCES",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

// node-postgres and its pool set no code for these. "timeout exceeded" is the pool's: all connections are in use.
const driverMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|write after end|This socket has been ended)/;

/** Returns why the database could not run the statement, or undefined if the statement or our code is at fault. */
export function outageOf(err: unknown): Outage | undefined {
  if (err instanceof DatabaseUnavailable) return err.outage;
  if (err instanceof AggregateError) return err.errors.some(outageOf) ? "unreachable" : undefined;
  if (err instanceof pg.DatabaseError) {
    const fault = faultOf(err);
    if (fault === "statement") return undefined;
    return fault === "lost" || fault === "stale" ? "unreachable" : fault;
  }
  if (!(err instanceof Error)) return undefined;
  const code = "code" in err ? err.code : undefined;
  const isOfConnection =
    (typeof code === "string" && socketCodes.has(code)) || driverMessages.test(err.message);
  return isOfConnection ? "unreachable" : undefined;
}

/** Reports whether the session with this error has ended or is in an unknown state, so that it must leave the pool. */
export function breaksSession(err: unknown): boolean {
  if (!(err instanceof pg.DatabaseError)) return outageOf(err) !== undefined;
  return err.severity === "FATAL" || err.severity === "PANIC" || faultOf(err) === "lost";
}

/** Reports whether the session does not match the database any more, and a new one would work. */
export const isOfStaleSession = (err: unknown): boolean =>
  err instanceof pg.DatabaseError && faultOf(err) === "stale";

/** Reports whether the transaction was the victim of a concurrent one (deadlock, serialization) and can be retried. */
export const isRetryable = (err: unknown): boolean => outageOf(err) === "conflict";

/** Reports whether a text that was passed to a statement cannot be stored, because it contains NUL. */
export const isUnstorableText = (err: unknown): boolean =>
  err instanceof pg.DatabaseError && err.code === "22021";

/**
 * Reports whether JSON contains NUL (22P05) or half of a surrogate pair (22P02). JSON that was passed to a statement may be
 * the reason, and so may JSON that is stored as text and of which a member is read.
 */
export const isUnstorableJson = (err: unknown): boolean =>
  err instanceof pg.DatabaseError &&
  (err.code === "22P05" || (err.code === "22P02" && /surrogate/.test(err.detail ?? "")));

/** Reports whether an id or name has so many bytes that no index can have it. Only values of callers do. */
export const isTooLongForIndex = (err: unknown): boolean =>
  err instanceof pg.DatabaseError && err.code === "54000" && err.message.startsWith("index row ");

/** Reports whether a table does not exist: the database is not migrated, or by an older version. */
export const isUndefinedTable = (err: unknown): boolean =>
  err instanceof pg.DatabaseError && err.code === "42P01";

/** Reports whether a row that this one refers to does not exist. `constraint` restricts it to constraints with such names. */
export const isForeignKeyViolation = (err: unknown, constraint: RegExp): boolean =>
  err instanceof pg.DatabaseError && err.code === "23503" && constraint.test(err.constraint ?? "");

/** Reports whether a row with this key exists already. `constraint` restricts it to that constraint. */
export function isUniqueViolation(err: unknown, constraint?: string): boolean {
  return (
    err instanceof pg.DatabaseError &&
    err.code === "23505" &&
    (constraint === undefined || err.constraint === constraint)
  );
}
