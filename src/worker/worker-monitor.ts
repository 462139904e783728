// The worker's log for its operator: a narrow logger interface, which pino implements, and incident ids for users.
import { randomUUID } from "node:crypto";

export type Fields = Readonly<Record<string, unknown>>;

/** The part of a structured logger that the worker uses. pino implements it. */
export interface Logger {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
}

export interface WorkerMonitor {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** Logs an unexpected error. Returns its incident id, which the task's author can quote to the operator. */
  reportError(error: unknown, fields?: Fields): string;
  /** Returns a monitor that adds `fields` to every record. */
  with(fields: Fields): WorkerMonitor;
}

/** Returns a monitor that writes to `log`. */
export function logMonitor(log: Logger, base: Fields = {}): WorkerMonitor {
  return {
    debug: (message, fields) => log.debug({ ...base, ...fields }, message),
    info: (message, fields) => log.info({ ...base, ...fields }, message),
    warn: (message, fields) => log.warn({ ...base, ...fields }, message),
    error: (message, fields) => log.error({ ...base, ...fields }, message),
    reportError(error, fields) {
      const incidentId = randomUUID();
      log.error({ ...base, ...fields, incidentId, err: error }, messageOf(error));
      return incidentId;
    },
    with: (fields) => logMonitor(log, { ...base, ...fields }),
  };
}

/** Returns the message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
