// The monitor: a component's log, metrics and error reports, labeled with the component they come from.
//
// Each component receives a child of its creator's monitor, so that it can use short names that remain traceable.
// Prefixes are constants (a service, loop, engine or plugin) and become part of metric names. Variable values (a task
// or run id) are tags: they go to logs and error reports, but never to metrics, where each new value would occupy
// memory forever.
import { randomUUID } from "node:crypto";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { InternalError } from "../../lib/internal-error.ts";

export type Tags = Readonly<Record<string, string | number | boolean>>;

export interface Monitor {
  /** Constant names joined by dots, outermost first: `queue.claim-expiry`. Empty at the root. */
  readonly prefix: string;
  readonly tags: Tags;
  /** The log, with prefix and tags on every record. */
  readonly log: Log;
  /** The declared metrics, which have their own names and labels. */
  readonly metrics: Metrics;
  child(options: { readonly prefix?: string; readonly tags?: Tags }): Monitor;
  /** Adds `n` (default 1, not negative) to the count `<prefix>.<name>`. */
  count(name: string, n?: number): void;
  /**
   * Reports an unexpected error: to the log with its stack, to the error count, and to Sentry if configured. Returns
   * the incident id, which may be shown to users so that they can quote it.
   */
  reportError(err: unknown, tags?: Tags): string;
}

/** What an error sink receives with the error. */
export interface Incident {
  readonly incidentId: string;
  readonly prefix: string;
  readonly tags: Tags;
}

/** A destination of incidents in addition to the log. */
export interface ErrorSink {
  /** Sends in the background. Never throws and never blocks the caller. */
  send(error: Error, incident: Incident): void;
  /** Waits for reports in flight, for at most `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

export interface MonitorOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly sink?: ErrorSink;
}

// More names than any reasonable set of constants: a larger number means that a prefix contains variable values.
const maxNames = 500;

/** Creates the root monitor of a process. */
export function createMonitor({ log, metrics, sink }: MonitorOptions): Monitor {
  const names = new Set<string>();

  /** Returns the name as a label value. Bounds memory even if a caller does not use constant names. */
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
        // A child of the root's log, not of childLog: pino writes a member as often as it is bound.
        return monitor(childPrefix, childTags, log.child(bindings));
      },
      count: (name, n = 1) => metrics.monitorCounts.inc({ name: full(name) }, n),
      reportError(err, extra = {}) {
        const error =
          err instanceof Error ? err : new InternalError(`not an Error was thrown: ${String(err)}`);
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
