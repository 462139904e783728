// Errors of the database, classified by what the caller should do about them.
import pg from "pg";
import { ApiError } from "../../lib/errors.ts";

/**
 * The database is unreachable, starting or stopping, or closed the connection. An ApiError, so that an HTTP handler which
 * does not catch it replies with 503. `cause` is the error of the driver and is never sent. It is unknown whether the
 * statement took effect, so retry only idempotent ones.
 */
export class DatabaseUnavailable extends ApiError {
  constructor(cause: unknown) {
    super("ServiceUnavailable", "The database is not available at the moment. Try again shortly.", { cause });
    this.name = "DatabaseUnavailable";
  }
}

// Classes of SQLSTATE that are not the fault of the statement: 08 connection exceptions, 53 out of connections, memory or
// disk, 58 errors of the operating system.
const unavailableClasses = new Set(["08", "53", "58"]);

const unavailableCodes = new Set([
  "25P03", // idle_in_transaction_session_timeout: the session is gone
  "57014", // query_canceled: statement_timeout; the server is overloaded or the statement was canceled manually
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now: starting up, shutting down, recovering
  "57P05", // idle_session_timeout
]);

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

/** Reports whether the database, not the statement, caused this error of the driver. */
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

/** Reports whether the connection with this error is unusable and must leave the pool. */
export function breaksConnection(err: unknown): boolean {
  // The session survives statement errors, canceled statements and a full disk.
  if (err instanceof pg.DatabaseError) return err.severity === "FATAL" || err.severity === "PANIC";
  return isUnavailable(err);
}

/** Reports whether the transaction was the victim of a concurrent one (deadlock, serialization) and can be retried. */
export function isRetryable(err: unknown): boolean {
  return err instanceof pg.DatabaseError && (err.code === "40P01" || err.code === "40001");
}

/** Reports whether a row with this key exists already. `constraint` restricts it to that constraint. */
export function isUniqueViolation(err: unknown, constraint?: string): boolean {
  return (
    err instanceof pg.DatabaseError &&
    err.code === "23505" &&
    (constraint === undefined || err.constraint === constraint)
  );
}
