// Where the published documents are, relative to the root URL. Every link between them is made here.
import type { Named } from "../schema.ts";
import type { Service } from "../service.ts";

/** A JSON document below the root URL. */
export interface PublishedDocument {
  /** The path it is served under: `/references/queue/v1/api.json`. */
  readonly path: string;
  readonly content: object;
}

/** The path of the list of a service's methods (`api`) or events (`exchanges`). */
export const referencePath = (of: Service, kind: "api" | "exchanges"): string =>
  `/references/${of.name}/${of.version}/${kind}.json`;

/** The path of a schema's file. */
export const schemaPath = (of: Service, { file }: Named): string => `/schemas/${of.name}/${file}`;

/** How a reference names a schema of its own service: `v1/task.json#`. */
export const schemaReference = ({ file }: Named): string => `${file}#`;

/** The path of a schema that belongs to no service, such as the one that describes references. */
export const commonSchemaPath = (name: string): string => `/schemas/common/${name}.json`;

/** The id of a schema: the path of its file and an empty fragment, as clients know it. */
export const schemaId = (path: string): string => `${path}#`;

const LINKS: ReadonlySet<string> = new Set(["$id", "$schema", "$ref"]);

/**
 * A copy of a document whose links between documents (`/schemas/…`) are absolute URLs. Without it a document
 * holds for any root URL, which is how documents are made and compared.
 */
export function absolute<T>(document: T, rootUrl: string): T {
  const root = rootUrl.replace(/\/+$/, "");
  const copy = (value: unknown, key: string): unknown => {
    if (typeof value === "string")
      return LINKS.has(key) && value.startsWith("/schemas/") ? root + value : value;
    if (Array.isArray(value)) return value.map((item) => copy(item, ""));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copy(member, name)]));
  };
  // The copy has the shape of the original: only texts have become other texts.
  return copy(document, "") as T;
}
