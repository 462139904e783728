// Errors that are reported to the user as a message, without a stack trace.

/** The command failed: exit status 1. */
export class CliError extends Error {
  override readonly name: string = "CliError";
}

/** The command line is invalid: exit status 2. */
export class UsageError extends CliError {
  override readonly name = "UsageError";
}

/** Exit statuses. Those of signals are 128 plus the number of the signal, as shells report them. */
export const exitStatus = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** A worker that its pool required to terminate. The same as that of generic-worker. */
  terminated: 70,
  SIGHUP: 129,
  SIGINT: 130,
  SIGPIPE: 141,
  SIGTERM: 143,
} as const;

/** Returns the message of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns the message of the error's cause, if it has one: `fetch` itself only reports that it failed. */
export const causeOf = (error: unknown): string =>
  messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);

/** Maximum number of problems listed in one message. Nobody reads more. */
export const MAX_LISTED = 50;

/** Lists problems, one per line. */
export function listProblems(problems: readonly string[]): string {
  const more = problems.length - MAX_LISTED;
  return [...problems.slice(0, MAX_LISTED), ...(more > 0 ? [`… and ${more} more`] : [])].join("\n");
}
