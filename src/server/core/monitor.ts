// The monitor: what a component says of itself (measures, counts, times, errors), marked with where it comes from.
//
// Whoever makes a component hands it a child of its own monitor, so the component names things briefly and they
// still can be traced. Prefixes are constants (a service, loop, engine or plugin) and become part of metric names;
// what varies (a task or run id) is a tag, goes to logs and error reports, and never to metrics, where every
// new value would live for ever.
import { randomUUID } from "node:crypto";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export type Tags = Readonly<Record<string, string | number | boolean>>;

export interface Monitor {
  /** Constant names joined by dots, from the server inwards: `queue.claim-expiry`. Empty at the root. */
  readonly prefix: string;
  readonly tags: Tags;
  /** The log, with prefix and tags on every record. */
  readonly log: Log;
  /** The declared metrics, for what deserves a name and labels of its own. */
  readonly metrics: Metrics;
  child(options: { readonly prefix?: string; readonly tags?: Tags }): Monitor;
  /** Adds a value to the distribution `<prefix>.<name>`. */
  measure(name: string, value: number): void;
  /** Adds `n` (default 1, not negative) to the count `<prefix>.<name>`. */
  count(name: string, n?: number): void;
  /** Runs `fn` and adds the seconds that it took, failed or not, to the distribution `<prefix>.<name>`. */
  time<R>(name: string, fn: () => R | Promise<R>): Promise<R>;
  /**
   * Reports an error that nobody expected: to the log with its stack, to the error count, to Sentry where that
   * is configured. Answers the incident id, which may be shown to users so that they can quote it.
   */
  reportError(err: unknown, tags?: Tags): string;
}

/** What an error sink gets to know besides the error. */
export interface Incident {
  readonly incidentId: string;
  readonly prefix: string;
  readonly tags: Tags;
}

/** Where incidents go besides the log. */
export interface ErrorSink {
  /** Sends in the background; never throws and never makes the reporter wait. */
  send(error: Error, incident: Incident): void;
  /** Waits for what is under way, for at most `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

export interface MonitorOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly sink?: ErrorSink;
}

// More names than any sane set of constants: the sign that something variable got into a prefix.
const maxNames = 500;

/** The root monitor of a process. */
export function createMonitor({ log, metrics, sink }: MonitorOptions): Monitor {
  const names = new Set<string>();

  /** The name as a label value; memory stays bounded even where a caller breaks the rule of constant names. */
  function known(name: string): string {
    if (names.has(name)) return name;
    if (names.size < maxNames) {
      names.add(name);
      return name;
    }
    if (names.size === maxNames) {
      names.add("other");
      log.warn({ name }, `more than ${maxNames} metric names: further ones are counted as "other"`);
    }
    return "other";
  }

  function monitor(prefix: string, tags: Tags, childLog: Log): Monitor {
    const full = (name: string): string => known(join(prefix, name));
    return {
      prefix,
      tags,
      log: childLog,
      metrics,
      child(options) {
        const childPrefix = join(prefix, options.prefix ?? "");
        const childTags = { ...tags, ...options.tags };
        const bindings = { ...(childPrefix === "" ? {} : { prefix: childPrefix }), ...childTags };
        // From the root's log and not from childLog: pino would write a prefix bound twice, twice.
        return monitor(childPrefix, childTags, log.child(bindings));
      },
      measure: (name, value) => metrics.monitorValues.observe({ name: full(name) }, value),
      count: (name, n = 1) => metrics.monitorCounts.inc({ name: full(name) }, n),
      async time(name, fn) {
        const start = performance.now();
        try {
          return await fn();
        } finally {
          metrics.monitorTimes.observe({ name: full(name) }, (performance.now() - start) / 1000);
        }
      },
      reportError(err, extra = {}) {
        const error = err instanceof Error ? err : new Error(`not an Error was thrown: ${String(err)}`);
        const incidentId = randomUUID();
        childLog.error({ ...extra, incidentId, err: error }, error.message);
        metrics.errors.inc({ prefix: known(prefix) });
        sink?.send(error, { incidentId, prefix, tags: { ...tags, ...extra } });
        return incidentId;
      },
    };
  }

  return monitor("", {}, log);
}

function join(prefix: string, name: string): string {
  return prefix === "" || name === "" ? prefix + name : `${prefix}.${name}`;
}
