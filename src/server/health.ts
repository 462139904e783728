// The health checks that the home page shows.
import type { Clock } from "../lib/clock.ts";
import type { Log } from "./core/log.ts";
import type { HealthCheck } from "./pages/index.ts";

export interface HealthOptions {
  /** Probes of the server's dependencies, by name. Each resolves if the dependency responds. */
  readonly probes: Readonly<Record<string, () => Promise<unknown>>>;
  /** When a worker last requested work, in milliseconds since the epoch. */
  readonly workerSeen: () => Promise<number | undefined>;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

/** Returns a function that runs all health checks. */
export function createHealth(options: HealthOptions): () => Promise<HealthCheck[]> {
  const { probes, workerSeen, clock, log } = options;

  async function checkProbe(name: string, probe: () => Promise<unknown>): Promise<HealthCheck> {
    const start = clock.now();
    try {
      await probe();
      return { name, state: "healthy", detail: `responds in ${clock.now() - start} ms` };
    } catch (err) {
      // The reason goes only to the log: the page is public.
      log.warn({ err }, `${name} does not respond`);
      return { name, state: "unhealthy", detail: "does not respond; each request tries again" };
    }
  }

  async function checkWorker(): Promise<HealthCheck> {
    const name = "Worker";
    let seen: number | undefined;
    try {
      seen = await workerSeen();
    } catch (err) {
      log.warn({ err }, "cannot read when a worker was last seen");
      return { name, state: "unknown", detail: "unknown while the database does not respond" };
    }
    if (seen === undefined)
      return {
        name,
        state: "unknown",
        detail: "none seen yet: start one with `taskyard worker`",
      };
    return { name, state: "healthy", detail: `requested work ${ago(clock.now() - seen)}` };
  }

  return async () => {
    const checks = Object.entries(probes).map(([name, probe]) => checkProbe(name, probe));
    return Promise.all([...checks, checkWorker()]);
  };
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}
