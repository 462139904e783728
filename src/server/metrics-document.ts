// The reference of the metrics of a service.
import type { PublishedDocument } from "../api/references/locations.ts";
import { renderMetricsDocument } from "../api/references/metrics-document.ts";
import type { Service } from "../api/service.ts";
import { coreMetrics, type MetricDefinitions } from "./core/metrics.ts";

/** Returns the reference of a service's metrics and of those that every service has. */
export const metricsDocument = (service: Service, metrics: MetricDefinitions): PublishedDocument =>
  renderMetricsDocument(service, [...Object.values(coreMetrics), ...Object.values(metrics)]);
