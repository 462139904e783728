// What can go wrong between us and PostgreSQL, told apart by what the caller should do about it.
import pg from "pg";
import { ApiError } from "../../lib/errors.ts";

/**
 * The database cannot be reached, is starting or stopping, or cut the connection. It is an ApiError, so that
 * an HTTP handler that lets it through answers 503; `cause` holds the driver's error and is never sent.
 * Whether a statement under way took effect is unknown: repeat it only where repeating is harmless.
 */
export class DatabaseUnavailable extends ApiError {
  constructor(cause: unknown) {
    super("ServiceUnavailable", "The database is not available at the moment. Try again shortly.", { cause });
    this.name = "DatabaseUnavailable";
  }
}

// Classes of SQLSTATE: 08 connection exceptions, 53 out of connections, memory or disk, 58 trouble of the
// operating system. None of them is the fault of the statement.
const unavailableClasses = new Set(["08", "53", "58"]);

const unavailableCodes = new Set([
  "25P03", // idle_in_transaction_session_timeout: the session is gone
  "57014", // query_canceled: statement_timeout; the server is overloaded or the statement was stopped by hand
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now: starting up, shutting down, recovering
  "57P05", // idle_session_timeout
]);

// Errors of the socket. ENOENT and EACCES come from a Unix socket whose server is away or not yet ready.
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

// node-postgres and its pool give these no code. "timeout exceeded" is the pool's: every connection is taken.
const driverMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|write after end|This socket has been ended)/;

/** Whether this error of the driver says that the database, not the statement, is at fault. */
export function isUnavailable(err: unknown): boolean {
  if (err instanceof DatabaseUnavailable) return true;
  if (err instanceof AggregateError) return err.errors.some(isUnavailable);
  if (err instanceof pg.DatabaseError) {
    const code = err.code ?? "";
    return unavailableCodes.has(code) || unavailableClasses.has(code.slice(0, 2));
  }
  if (!(err instanceof Error)) return false;
  const code = "code" in err ? err.code : undefined;
  return (typeof code === "string" && socketCodes.has(code)) || driverMessages.test(err.message);
}

/** Whether the connection that gave this error can be trusted no longer and must leave the pool. */
export function breaksConnection(err: unknown): boolean {
  // Statement errors leave a session as good as new; so does a cancelled statement and a full disk.
  if (err instanceof pg.DatabaseError) return err.severity === "FATAL" || err.severity === "PANIC";
  return isUnavailable(err);
}

/** Whether the transaction lost against a concurrent one (deadlock, serialization) and would work if repeated. */
export function isRetryable(err: unknown): boolean {
  return err instanceof pg.DatabaseError && (err.code === "40P01" || err.code === "40001");
}

/** Whether a row with this key exists already; `constraint` names the one that is meant. */
export function isUniqueViolation(err: unknown, constraint?: string): boolean {
  return (
    err instanceof pg.DatabaseError &&
    err.code === "23505" &&
    (constraint === undefined || err.constraint === constraint)
  );
}
