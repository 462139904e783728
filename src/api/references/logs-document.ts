// Renders the typed log records of a service as a reference in Taskcluster's format.
import type { Service } from "../service.ts";
import { commonSchemaPath, referencePath, schemaId, type PublishedDocument } from "./locations.ts";

/** A kind of log record. Its type is the message of the record. */
export interface DeclaredLog {
  readonly name: string;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly title: string;
  /** The meaning of each field that the record has in addition to those of every record. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Returns the reference. `logs` are by type. */
export const renderLogsDocument = (
  service: Service,
  logs: Readonly<Record<string, DeclaredLog>>,
): PublishedDocument => ({
  path: referencePath(service, "logs"),
  content: {
    $schema: schemaId(commonSchemaPath("logs-reference-v0")),
    serviceName: service.name,
    types: Object.entries(logs).map(([type, { name, level, title, fields }]) => ({
      name,
      type,
      version: 1,
      level,
      title,
      description: title,
      fields,
    })),
  },
});
