// Metrics as literals, from which the registry and the types derive. Those of a service are in its folder.
import type { DeclaredMetric } from "../../api/references/metrics-document.ts";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** Values of labels must come from a bounded set: never a task, run or user id. */
export type MetricDefinition = DeclaredMetric;

const request = {
  service: "Service name",
  name: "API method name",
  method: "HTTP method",
  status: "Response status code",
};

/** The metrics of every server. Dashboards depend on the names, so they do not change. */
export const coreMetrics = {
  httpRequests: {
    type: "counter",
    name: "http_requests_total",
    help: "HTTP requests that received a reply",
    labels: request,
  },
  httpRequestDuration: {
    type: "histogram",
    name: "http_request_duration_seconds",
    help: "Duration of methods, from the complete request to the complete reply",
    labels: request,
    // The usual buckets begin at 10 ms, but most replies are faster, so three finer ones precede them.
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
  },
  eventsRead: {
    type: "counter",
    name: "event_log_read_total",
    help: "Events that readers in this process read from the log",
    labels: { reader: "Kind of reader: stream, relay or the name of a consumer" },
  },
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
    help: "Duration of one iteration of a background loop",
    labels: { name: "Name of the loop", status: "success or exception" },
    buckets: [0.01, 0.1, 1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 6000],
  },
  monitorCounts: {
    type: "counter",
    name: "monitor_count_total",
    help: "Events that components count through their monitor",
    labels: { name: "Prefix of the component and name of the count" },
  },
  errors: {
    type: "counter",
    name: "errors_reported_total",
    help: "Unexpected errors, each with an incident id in the log",
    labels: { prefix: "Component that reported it" },
  },
} as const satisfies MetricDefinitions;

export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

type LabelsOf<D extends MetricDefinition> = Extract<keyof D["labels"], string>;
type MetricOf<D extends MetricDefinition> = D["type"] extends "counter"
  ? Counter<LabelsOf<D>>
  : D["type"] extends "gauge"
    ? Gauge<LabelsOf<D>>
    : Histogram<LabelsOf<D>>;

/** The metrics of some definitions, each typed with its labels. */
export type MetricsOf<M extends MetricDefinitions> = { readonly [K in keyof M]: MetricOf<M[K]> };

/** The core metrics of one server, and the registry that `/metrics` shows. */
export type Metrics = MetricsOf<typeof coreMetrics> & { readonly registry: Registry };

/**
 * Creates the core metrics on a new registry, so that two servers in one process do not share figures. With
 * `process: true` the registry also has the metrics of the process (CPU, memory, event loop). Set it once per process:
 * each call installs observers that stay until the process ends.
 */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.process === true) collectDefaultMetrics({ register: registry });
  return { ...declareMetrics(registry, coreMetrics), registry };
}

/** Adds metrics to a registry. A metric that the registry has already is shared. */
export function declareMetrics<M extends MetricDefinitions>(
  registry: Registry,
  definitions: M,
): MetricsOf<M> {
  const metrics = Object.entries(definitions).map(([key, definition]) => [
    key,
    registry.getSingleMetric(definition.name) ?? create(definition, registry),
  ]);
  // Object.fromEntries loses the types by key; `create` reads the same definitions as MetricOf.
  return Object.fromEntries(metrics) as MetricsOf<M>;
}

function create(definition: MetricDefinition, registry: Registry): Counter | Gauge | Histogram {
  const { name, help, type } = definition;
  const options = { name, help, labelNames: Object.keys(definition.labels), registers: [registry] };
  if (type === "counter") return new Counter(options);
  if (type === "gauge") return new Gauge(options);
  return new Histogram({ ...options, buckets: [...(definition.buckets ?? [])] });
}
