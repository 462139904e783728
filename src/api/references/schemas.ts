// The schemas of a service as separate documents.
import type { Named } from "../schema.ts";
import type { Service } from "../service.ts";
import { commonSchemaPath, schemaId, schemaPath, type PublishedDocument } from "./locations.ts";
import { InternalError } from "../../lib/internal-error.ts";

/** Returns the schemas that a service publishes, without duplicates: of requests, replies, events, and `schemas`. */
export function namedSchemas(service: Service): Named[] {
  const found = new Map<string, Named>();
  const add = (schema: Named): void => {
    const known = found.get(schema.file);
    if (known && known.schema !== schema.schema)
      throw new InternalError(`Two schemas of the service ${service.name} are called ${schema.file}`);
    found.set(schema.file, schema);
  };
  for (const { body, reply } of Object.values(service.endpoints)) {
    if (body) add(body);
    if (reply && reply !== "blob") add(reply);
  }
  for (const { message } of Object.values(service.exchanges)) add(message);
  for (const schema of service.schemas ?? []) add(schema);
  return [...found.values()];
}

/** Returns the schemas of `service` as documents, for any root URL. */
export function renderSchemas(service: Service): PublishedDocument[] {
  const published = namedSchemas(service);
  return published.map((schema) => {
    const path = schemaPath(service, schema);
    const heading = { $schema: schemaId(commonSchemaPath("metaschema")), $id: schemaId(path) };
    return {
      path,
      content: { ...heading, ...linked(schema, published, (other) => schemaId(schemaPath(service, other))) },
    };
  });
}

/**
 * Returns a schema with its title, in which separately published parts are replaced by references. The contract composes
 * schemas by value, so parts are identified by object identity.
 */
export function linked(schema: Named, published: readonly Named[], refTo: (other: Named) => string): object {
  const fileOf = new Map<unknown, Named>(published.toReversed().map((other) => [other.schema, other]));
  const copy = (value: unknown): unknown => {
    const other = fileOf.get(value);
    if (other && other !== schema) return { $ref: refTo(other) };
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== "object" || value === null) return value;
    return copyMembers(value);
  };
  const copyMembers = (value: object): object =>
    Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copy(member)]));
  return { title: schemaTitle(schema), ...copyMembers(schema.schema) };
}

/** Returns the title: "Create task request" for `v1/create-task-request.json`. Client generators derive type names from it. */
export function schemaTitle({ file }: Named): string {
  const words = file
    .replace(/^.*\//, "")
    .replace(/\.json$/, "")
    .replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
