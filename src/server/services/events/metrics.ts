// Metrics of event streams.
import type { MetricDefinitions } from "../../core/metrics.ts";

export const metrics = {
  eventStreams: { type: "gauge", name: "event_log_streams", help: "Open event streams", labels: {} },
} as const satisfies MetricDefinitions;
