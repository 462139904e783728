// The codes of errors of the system, such as `ENOSPC`.

/** Returns the code of an error, or undefined if it has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
