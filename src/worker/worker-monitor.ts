// What the worker tells its operator: a narrow logger (pino fits) and incidents that users can quote.
import { randomUUID } from "node:crypto";

export type Fields = Readonly<Record<string, unknown>>;

/** The part of a structured logger that the worker needs; pino's has this shape. */
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
  /** Reports what nobody foresaw. Answers the incident id that the task's author is shown, to quote to the operator. */
  reportError(error: unknown, fields?: Fields): string;
  /** A monitor that adds `fields` to everything. */
  with(fields: Fields): WorkerMonitor;
}

/** A monitor that writes to `log`. */
export function logMonitor(log: Logger, base: Fields = {}): WorkerMonitor {
  return {
    debug: (message, fields) => log.debug({ ...base, ...fields }, message),
    info: (message, fields) => log.info({ ...base, ...fields }, message),
    warn: (message, fields) => log.warn({ ...base, ...fields }, message),
    reportError(error, fields) {
      const incidentId = randomUUID();
      log.error({ ...base, ...fields, incidentId, err: error }, messageOf(error));
      return incidentId;
    },
    with: (fields) => logMonitor(log, { ...base, ...fields }),
  };
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
