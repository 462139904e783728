// The health checks that the home page shows.
import type { Clock } from "../lib/clock.ts";
import { DatabaseUnavailable, type Outage } from "./core/db-errors.ts";
import type { Log } from "./core/log.ts";
import type { HealthCheck } from "./core/health-check.ts";

export interface HealthOptions {
  /** Probes of the server's dependencies, by name. Each resolves if the dependency responds. */
  readonly probes: Readonly<Record<string, () => Promise<unknown>>>;
  /** The checks of the services. */
  readonly checks: readonly (() => Promise<HealthCheck>)[];
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

// Outages in which the database responds.
const limits: Readonly<Partial<Record<Outage, string>>> = {
  "read-only": "is read-only: nothing can be changed until it accepts writes",
  "disk full": "has a full disk: nothing can be stored until space is free",
  overloaded: "is overloaded, or has too few connections",
};

/** Returns a function that runs all health checks. */
export function createHealth(options: HealthOptions): () => Promise<HealthCheck[]> {
  const { probes, clock, log } = options;

  async function checkProbe(name: string, probe: () => Promise<unknown>): Promise<HealthCheck> {
    const start = clock.now();
    try {
      await probe();
      return { name, state: "healthy", detail: `responds in ${clock.now() - start} ms` };
    } catch (err) {
      // The exact reason goes only to the log: the page is public.
      log.warn({ err }, `${name} does not respond`);
      const limited = err instanceof DatabaseUnavailable ? limits[err.outage] : undefined;
      const detail = limited ?? "does not respond; each request tries again";
      return { name, state: "unhealthy", detail };
    }
  }

  return () =>
    Promise.all([
      ...Object.entries(probes).map(([name, probe]) => checkProbe(name, probe)),
      ...options.checks.map((check) => check()),
    ]);
}
