// The health checks that the home page shows.
import type { Clock } from "../lib/clock.ts";
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

/** Returns a function that runs all health checks. */
export function createHealth(options: HealthOptions): () => Promise<HealthCheck[]> {
  const { probes, clock, log } = options;

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

  return () =>
    Promise.all([
      ...Object.entries(probes).map(([name, probe]) => checkProbe(name, probe)),
      ...options.checks.map((check) => check()),
    ]);
}
