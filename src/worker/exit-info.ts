// The result of a command, as engines pass it to plugins and to the log.

/** The result of one command. Times are in milliseconds. CPU times are absent where the system does not provide them. */
export interface ExitInfo {
  readonly outcome: "succeeded" | "failed" | "aborted";
  /** Null for a command that was ended by a signal or was never started. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Why the command could not be started, as text for the author of the task. */
  readonly systemError?: string;
  readonly wallMs: number;
  readonly userMs?: number;
  readonly systemMs?: number;
}
