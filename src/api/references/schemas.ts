// The schemas of a service as documents of their own.
import type { Named } from "../schema.ts";
import type { Service } from "../service.ts";
import { commonSchemaPath, schemaId, schemaPath, type PublishedDocument } from "./locations.ts";

/** Every schema that a service publishes, once each: of requests, replies and events, then those it lists itself. */
export function namedSchemas(service: Service): Named[] {
  const found = new Map<string, Named>();
  const add = (schema: Named): void => {
    const known = found.get(schema.file);
    if (known && known.schema !== schema.schema)
      throw new Error(`Two schemas of the service ${service.name} are called ${schema.file}`);
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

/** The schemas of `service` as documents, for any root URL. */
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
 * A schema with its title, in which each part that is published on its own is a reference to it. The contract
 * composes schemas by value, so a part is recognised by being the same object.
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

/** `v1/create-task-request.json` is "Create task request": generators of clients make names of types from it. */
export function schemaTitle({ file }: Named): string {
  const words = file
    .replace(/^.*\//, "")
    .replace(/\.json$/, "")
    .replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
