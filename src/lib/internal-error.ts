// The error that no user reads.

/**
 * A state that our own code excludes, a wrong use of one of our functions, or the reason of an abort that is handled where it
 * is caught. Users get at most an incident id. Any other error names a next step, which the linter checks.
 */
export class InternalError extends Error {
  override readonly name = "InternalError";
}
