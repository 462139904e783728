// The paths of the published documents, relative to the root URL, and the links between them.
import type { Named } from "../schema.ts";
import type { Service } from "../service.ts";
import { withoutTrailingSlashes } from "../../lib/trailing-slashes.ts";

/** A JSON document below the root URL. */
export interface PublishedDocument {
  /** For example `/references/queue/v1/api.json`. */
  readonly path: string;
  readonly content: object;
}

/** Returns the path of the reference of a service's methods (`api`), events (`exchanges`), log records or metrics. */
export const referencePath = (of: Service, kind: "api" | "exchanges" | "logs" | "metrics"): string =>
  `/references/${of.name}/${of.version}/${kind}.json`;

/** Returns the path of a schema. */
export const schemaPath = (of: Service, { file }: Named): string => `/schemas/${of.name}/${file}`;

/** Returns the name of a schema in the references of its service: `v1/task.json#`. */
export const schemaReference = ({ file }: Named): string => `${file}#`;

/** Returns the path of a schema that belongs to no service, such as the one that describes references. */
export const commonSchemaPath = (name: string): string => `/schemas/common/${name}.json`;

/** Returns the id of a schema: its path and an empty fragment, as clients expect. */
export const schemaId = (path: string): string => `${path}#`;

const LINKS: ReadonlySet<string> = new Set(["$id", "$schema", "$ref"]);

/**
 * Returns a copy of a document in which links to other documents (`/schemas/…`) are absolute URLs. Documents are created
 * and compared without a root URL.
 */
export function absolute<T>(document: T, rootUrl: string): T {
  const root = withoutTrailingSlashes(rootUrl);
  const copy = (value: unknown, key: string): unknown => {
    if (typeof value === "string")
      return LINKS.has(key) && value.startsWith("/schemas/") ? root + value : value;
    if (Array.isArray(value)) return value.map((item) => copy(item, ""));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copy(member, name)]));
  };
  // The copy has the type of the original: only strings were replaced by strings.
  return copy(document, "") as T;
}
