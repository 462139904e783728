// How the server is, in the words of its first page.
import type { Clock } from "../lib/clock.ts";
import type { HealthCheck } from "./pages/index.ts";

export interface HealthOptions {
  /** Resolves where the database answers. */
  readonly check: () => Promise<void>;
  /** When a worker last asked this process for work, in milliseconds since the epoch. */
  readonly workerSeen: () => number | undefined;
  readonly clock: Clock;
}

/** Makes the function that looks at everything that the server stands on. */
export function createHealth({ check, workerSeen, clock }: HealthOptions): () => Promise<HealthCheck[]> {
  const database = async (): Promise<HealthCheck> => {
    const asked = clock.now();
    try {
      await check();
      return { name: "Database", state: "well", detail: `answers in ${clock.now() - asked} ms` };
    } catch {
      // Why not is in the log; whoever opens the page may be a stranger.
      return {
        name: "Database",
        state: "unwell",
        detail: "does not answer; it is tried again with each request",
      };
    }
  };
  const worker = (): HealthCheck => {
    const seen = workerSeen();
    if (seen === undefined)
      return {
        name: "Worker",
        state: "unknown",
        detail: "none was seen yet: start one with `taskyard worker`",
      };
    return { name: "Worker", state: "well", detail: `asked for work ${ago(clock.now() - seen)}` };
  };
  return async () => [await database(), worker()];
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}
