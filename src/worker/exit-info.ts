// How a command ended, as engines tell it to plugins and the log.

/** How one command ended. Times are milliseconds; those of the processor are missing where they cannot be known. */
export interface ExitInfo {
  readonly outcome: "succeeded" | "failed" | "aborted";
  /** Null for a command that a signal ended or that never began. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Why the command could not be started at all, as text for the task's author. */
  readonly systemError?: string;
  readonly wallMs: number;
  readonly userMs?: number;
  readonly systemMs?: number;
}
