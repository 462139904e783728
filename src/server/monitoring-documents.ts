// The references of what a service offers for monitoring: its metrics and log records.
import type { PublishedDocument } from "../api/references/locations.ts";
import { renderLogsDocument } from "../api/references/logs-document.ts";
import { renderMetricsDocument } from "../api/references/metrics-document.ts";
import { coreMetrics } from "./core/metrics.ts";
import type { AnyService } from "./core/service.ts";

/** Returns the references of a service. The metrics include those that every service has. */
export const monitoringDocuments = ({
  api,
  metrics,
  logs,
}: Pick<AnyService, "api" | "metrics" | "logs">): PublishedDocument[] => [
  renderMetricsDocument(api, [...Object.values(coreMetrics), ...Object.values(metrics)]),
  ...(logs ? [renderLogsDocument(api, logs)] : []),
];
