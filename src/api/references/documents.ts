// All published documents of a set of services: references, schemas, and the manifest that lists the references.
import type { Service } from "../service.ts";
import { renderApiReference } from "./api-reference.ts";
import { commonSchemas } from "./common-schemas.ts";
import { renderExchangesReference } from "./exchanges-reference.ts";
import { commonSchemaPath, referencePath, schemaId, type PublishedDocument } from "./locations.ts";
import { renderSchemas } from "./schemas.ts";
import { withoutTrailingSlashes } from "../../lib/trailing-slashes.ts";

export const MANIFEST_PATH = "/references/manifest.json";

export interface Manifest {
  readonly $schema: string;
  readonly references: readonly string[];
}

/**
 * Returns the manifest: all references as absolute URLs, sorted. `more` are those that the contract does not contain, such as
 * the metrics of a server.
 */
export function renderManifest(
  services: readonly Service[],
  rootUrl: string,
  more: readonly PublishedDocument[] = [],
): Manifest {
  const root = withoutTrailingSlashes(rootUrl);
  return {
    $schema: root + schemaId(commonSchemaPath("manifest-v3")),
    references: [...services.flatMap(renderReferences), ...more].map(({ path }) => root + path).toSorted(),
  };
}

/** Returns the references and schemas of all services and the schemas that describe them, for any root URL. */
export const renderDocuments = (services: readonly Service[]): PublishedDocument[] => [
  ...services.flatMap(renderReferences),
  ...services.flatMap(renderSchemas),
  ...commonSchemas,
];

function renderReferences(service: Service): PublishedDocument[] {
  const exchanges = renderExchangesReference(service);
  return [
    { path: referencePath(service, "api"), content: renderApiReference(service) },
    ...(exchanges ? [{ path: referencePath(service, "exchanges"), content: exchanges }] : []),
  ];
}
