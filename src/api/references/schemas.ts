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
export const renderSchemas = (service: Service): PublishedDocument[] =>
  namedSchemas(service).map((schema) => {
    const path = schemaPath(service, schema);
    return {
      path,
      content: {
        $schema: schemaId(commonSchemaPath("metaschema")),
        $id: schemaId(path),
        title: schemaTitle(schema),
        ...schema.schema,
      },
    };
  });

/** `v1/create-task-request.json` is "Create task request": generators of clients make names of types from it. */
export function schemaTitle({ file }: Named): string {
  const words = file
    .replace(/^.*\//, "")
    .replace(/\.json$/, "")
    .replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
