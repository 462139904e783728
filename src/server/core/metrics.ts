// The metrics of a server: every one a literal here, from which registry, types and references derive.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  /** Label names with their meaning. Values must come from a bounded set: never a task, run or user id. */
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets?: readonly number[];
}

const request = {
  service: "Service name",
  name: "API method name",
  method: "HTTP method",
  status: "Response status code",
};
const queue = {
  provisionerId: "First half of the task queue id",
  workerType: "Second half of the task queue id",
};

/** All metrics, by the member of `Metrics` that moves them. Dashboards know these names: they do not change. */
export const metricDefinitions = {
  httpRequests: {
    type: "counter",
    name: "http_requests_total",
    help: "HTTP requests answered",
    labels: request,
  },
  httpRequestDuration: {
    type: "histogram",
    name: "http_request_duration_seconds",
    help: "Time that methods took, from when the request was read until its answer was made",
    labels: request,
    // The usual buckets begin at 10 ms, where most of our answers are long gone: three finer ones before them.
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
  },
  completedTasks: {
    type: "counter",
    name: "queue_completed_tasks",
    help: "Runs that ended as completed",
    labels: queue,
  },
  failedTasks: {
    type: "counter",
    name: "queue_failed_tasks",
    help: "Runs that ended as failed",
    labels: { ...queue, reasonResolved: "Why it failed" },
  },
  exceptionTasks: {
    type: "counter",
    name: "queue_exception_tasks",
    help: "Runs that ended as exception",
    labels: { ...queue, reasonResolved: "Which exception" },
  },
  pendingTasks: {
    type: "gauge",
    name: "queue_pending_tasks",
    help: "Runs waiting for a worker",
    labels: queue,
  },
  claimedTasks: {
    type: "gauge",
    name: "queue_claimed_tasks",
    help: "Runs that a worker holds",
    labels: queue,
  },
  workers: { type: "gauge", name: "queue_workers_total", help: "Workers known", labels: queue },
  quarantinedWorkers: {
    type: "gauge",
    name: "queue_quarantined_workers",
    help: "Workers in quarantine",
    labels: queue,
  },
  runningWorkers: {
    type: "gauge",
    name: "queue_running_workers",
    help: "Workers that hold a run",
    labels: queue,
  },
  idleWorkers: {
    type: "gauge",
    name: "queue_idle_workers",
    help: "Workers that hold no run",
    labels: queue,
  },
  invariantViolations: {
    type: "counter",
    name: "queue_invariant_violations_total",
    help: "What the watchdog found wrong in the database",
    labels: { check: "Name of the check", repaired: "yes or no" },
  },
  openInvariantViolations: {
    type: "gauge",
    name: "queue_invariant_violations_open",
    help: "What the watchdog found wrong, and is wrong still",
    labels: { check: "Name of the check" },
  },
  authSuccesses: {
    type: "counter",
    name: "auth_success_total",
    help: "Requests whose credentials were accepted, or that needed some and had none",
    // Not by client id: temporary credentials have a new one with every run, and a label value lives for ever.
    labels: { scheme: "hawk, bewit or none" },
  },
  authFailures: {
    type: "counter",
    name: "auth_failure_total",
    help: "Requests whose credentials were refused",
    labels: {
      reason: "form, ext, client, time, mac or hash: what about them is wrong",
      scheme: "hawk, bewit: what was tried",
    },
  },
  eventsRead: {
    type: "counter",
    name: "event_log_read_total",
    help: "Events that readers of this process took from the log",
    labels: { reader: "Kind of reader: stream, relay or the name of a consumer" },
  },
  eventStreams: { type: "gauge", name: "event_log_streams", help: "Open event streams", labels: {} },
  batchSize: {
    type: "histogram",
    name: "coalesced_batch_size",
    help: "Calls that shared one statement",
    labels: { name: "Name of the statement" },
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
  loopDuration: {
    type: "histogram",
    name: "iterate_duration_seconds",
    help: "Time of one round of a background loop",
    labels: { name: "Name of the loop", status: "success or exception" },
    buckets: [0.01, 0.1, 1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 6000],
  },
  monitorCounts: {
    type: "counter",
    name: "monitor_count_total",
    help: "What components count through their monitor",
    labels: { name: "Prefix of the component and name of the count" },
  },
  monitorValues: {
    type: "histogram",
    name: "monitor_value",
    help: "What components measure through their monitor, in units of their own",
    labels: { name: "Prefix of the component and name of the value" },
    buckets: [0.01, 0.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
  },
  monitorTimes: {
    type: "histogram",
    name: "monitor_time_seconds",
    help: "What components time through their monitor",
    labels: { name: "Prefix of the component and name of what was timed" },
    buckets: [0.001, 0.01, 0.1, 1, 10, 60, 600, 3600],
  },
  errors: {
    type: "counter",
    name: "errors_reported_total",
    help: "Errors that nobody expected, each with an incident id in the log",
    labels: { prefix: "Component that reported it" },
  },
} as const satisfies Record<string, MetricDefinition>;

type Definitions = typeof metricDefinitions;
type LabelsOf<D extends MetricDefinition> = Extract<keyof D["labels"], string>;
type MetricOf<D extends MetricDefinition> = D["type"] extends "counter"
  ? Counter<LabelsOf<D>>
  : D["type"] extends "gauge"
    ? Gauge<LabelsOf<D>>
    : Histogram<LabelsOf<D>>;

/** One server's metrics, each typed with its labels, and the registry that `/metrics` shows. */
export type Metrics = { readonly [K in keyof Definitions]: MetricOf<Definitions[K]> } & {
  readonly registry: Registry;
};

/**
 * Fresh metrics on a registry of their own, so that two servers in one process do not share figures.
 * `process: true` adds those of the process (CPU, memory, event loop); once per process, since each call
 * installs observers that live as long as it.
 */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.process === true) collectDefaultMetrics({ register: registry });
  const metrics = Object.entries(metricDefinitions).map(([key, definition]) => [
    key,
    make(definition, registry),
  ]);
  // Object.fromEntries forgets which key has which type; `make` follows the same definitions that MetricOf reads.
  return { ...(Object.fromEntries(metrics) as Omit<Metrics, "registry">), registry };
}

function make(definition: MetricDefinition, registry: Registry): Counter | Gauge | Histogram {
  const { name, help, type } = definition;
  const options = { name, help, labelNames: Object.keys(definition.labels), registers: [registry] };
  if (type === "counter") return new Counter(options);
  if (type === "gauge") return new Gauge(options);
  return new Histogram({ ...options, buckets: [...(definition.buckets ?? [])] });
}
