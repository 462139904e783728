// Failures that are explained to the user in words, without a stack.

/** The command could not do what it was asked to: exit status 1. */
export class CliError extends Error {
  override readonly name: string = "CliError";
}

/** The command line makes no sense: exit status 2. */
export class UsageError extends CliError {
  override readonly name = "UsageError";
}

export const exitStatus = { ok: 0, failure: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** The text of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The same of what caused it: `fetch` itself says only that it failed. */
export const causeOf = (error: unknown): string =>
  messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);

/** Problems that are told one by one: nobody reads more. */
export const MAX_LISTED = 50;

/** Problems as lines. */
export function listProblems(problems: readonly string[]): string {
  const more = problems.length - MAX_LISTED;
  return [...problems.slice(0, MAX_LISTED), ...(more > 0 ? [`… and ${more} more`] : [])].join("\n");
}
