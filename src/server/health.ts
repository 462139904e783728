// How the server is, in the words of its first page.
import type { Clock } from "../lib/clock.ts";
import type { Log } from "./core/log.ts";
import type { HealthCheck } from "./pages/index.ts";

export interface HealthOptions {
  /** What the server stands on, by name; each resolves where it answers. */
  readonly asks: Readonly<Record<string, () => Promise<unknown>>>;
  /** When a worker last asked for work, in milliseconds since the epoch. */
  readonly workerSeen: () => Promise<number | undefined>;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

/** Makes the function that looks at everything that the server stands on. */
export function createHealth(options: HealthOptions): () => Promise<HealthCheck[]> {
  const { asks, workerSeen, clock, log } = options;

  async function timed(name: string, ask: () => Promise<unknown>): Promise<HealthCheck> {
    const asked = clock.now();
    try {
      await ask();
      return { name, state: "well", detail: `answers in ${clock.now() - asked} ms` };
    } catch (err) {
      // Only the log says why: whoever opens the page may be a stranger.
      log.warn({ err }, `${name} does not answer`);
      return { name, state: "unwell", detail: "does not answer; every request tries anew" };
    }
  }

  async function worker(): Promise<HealthCheck> {
    const name = "Worker";
    let seen: number | undefined;
    try {
      seen = await workerSeen();
    } catch (err) {
      log.warn({ err }, "it is not known when a worker was last seen");
      return { name, state: "unknown", detail: "not known while the database does not answer" };
    }
    if (seen === undefined)
      return {
        name,
        state: "unknown",
        detail: "none was seen yet: start one with `taskyard worker`",
      };
    return { name, state: "well", detail: `asked for work ${ago(clock.now() - seen)}` };
  }

  return async () => {
    const asked = Object.entries(asks).map(([name, ask]) => timed(name, ask));
    return Promise.all([...asked, worker()]);
  };
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}
