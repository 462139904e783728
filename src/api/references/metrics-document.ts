// Renders the metrics of a service as a reference in Taskcluster's format.
import type { Service } from "../service.ts";
import { commonSchemaPath, referencePath, schemaId, type PublishedDocument } from "./locations.ts";

/** A metric as a server declares it. */
export interface DeclaredMetric {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  /** Label names with their meaning. */
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets?: readonly number[];
}

export const renderMetricsDocument = (
  service: Service,
  metrics: readonly DeclaredMetric[],
): PublishedDocument => ({
  path: referencePath(service, "metrics"),
  content: {
    $schema: schemaId(commonSchemaPath("metrics-reference-v0")),
    serviceName: service.name,
    metrics: metrics.map(({ name, type, help, labels, buckets }) => ({
      name,
      type,
      title: help,
      description: help,
      labels,
      ...(buckets && { buckets }),
      // A server shows all metrics on one page.
      registers: ["default"],
    })),
  },
});
