// Renders the reference page of the metrics from their declarations.
import { coreMetrics, type MetricDefinition, type MetricDefinitions } from "./core/metrics.ts";
import { services } from "./services.ts";

/** Returns all metrics by title of their part of the page. */
export async function metricGroups(): Promise<(readonly [title: string, metrics: MetricDefinitions])[]> {
  const ofServices = (await services.load()).map(
    ({ api, metrics }) => [`Service ${api.name}`, metrics] as const,
  );
  return [["Every server", coreMetrics], ...ofServices];
}

/** Returns the content of `docs/reference/metrics.md`. */
export async function renderMetricsReference(): Promise<string> {
  const parts = (await metricGroups())
    .filter(([, metrics]) => Object.keys(metrics).length > 0)
    .map(([title, metrics]) => `## ${title}\n\n${table(Object.values(metrics))}`);
  return `${[introduction, ...parts].join("\n\n")}\n`;
}

const introduction = `# Metrics

<!-- Generated from the declarations of metrics in src/server by \`npm run generate\`. -->

\`GET /metrics\` returns the metrics of one server process in Prometheus' text format.

Counters and histograms count what this process did since it started: add up the processes. The gauges of the queue describe
the whole instance. Every process that runs the loops exports the same values, read every 30 seconds: take their maximum.

The page also has the metrics of the process itself, as every Node.js program with \`prom-client\` has them:
\`process_cpu_seconds_total\`, \`process_resident_memory_bytes\`, \`nodejs_eventloop_lag_p99_seconds\` and so on.
[Operating](../guides/operating.md#metrics-and-alerts) suggests alerts.`;

const table = (metrics: readonly MetricDefinition[]): string =>
  ["| metric | type | meaning | labels |", "|---|---|---|---|", ...metrics.map(row)].join("\n");

function row({ name, type, help, labels, buckets }: MetricDefinition): string {
  const listed = Object.entries(labels).map(([label, meaning]) => `\`${label}\`: ${meaning}`);
  const cells = [
    `\`${name}\``,
    type,
    buckets === undefined ? help : `${help}. Buckets: ${buckets.join(", ")}`,
    listed.join("<br>"),
  ];
  return `| ${cells.join(" | ").replaceAll("\n", " ")} |`;
}
