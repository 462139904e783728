// Serves the published contract: references, schemas, the manifest and the OpenAPI document.
import type { FastifyInstance } from "fastify";
import { MANIFEST_PATH, renderDocuments, renderManifest } from "../../../api/references/documents.ts";
import { absolute, type PublishedDocument } from "../../../api/references/locations.ts";
import { renderOpenApi } from "../../../api/references/openapi.ts";
import type { Service } from "../../../api/service.ts";
import { VERSION } from "../../../lib/version.ts";
import { jsonDocument, sendDocument, type CachedDocument } from "./send-document.ts";

export interface ReferencesOptions {
  readonly services: Readonly<Record<string, Service>>;
  /** Further references, which the manifest lists too. */
  readonly more: readonly PublishedDocument[];
  /** Called for each request, since a server on a free port has a root URL only once it listens. */
  readonly rootUrl: () => string;
}

const OPENAPI_PATH = "/openapi.json";

/** Adds a route for each document. A document is rendered on its first request and cached as text. */
export function serveReferences(app: FastifyInstance, options: ReferencesOptions): void {
  const services = Object.values(options.services);
  const publish = (path: string, render: (rootUrl: string) => object): void => {
    const documentFor = cacheLast((rootUrl) => jsonDocument(render(rootUrl)));
    app.get(path, (request, reply) => sendDocument(request, reply, documentFor(options.rootUrl())));
  };
  for (const { path, content } of [...renderDocuments(services), ...options.more])
    publish(path, (rootUrl) => absolute(content, rootUrl));
  publish(MANIFEST_PATH, (rootUrl) => renderManifest(services, rootUrl, options.more));
  publish(OPENAPI_PATH, (rootUrl) => renderOpenApi({ services, rootUrl, version: VERSION }));
}

/** Caches the last document. The root URL changes at most once, when the server starts to listen. */
function cacheLast(render: (rootUrl: string) => CachedDocument): (rootUrl: string) => CachedDocument {
  let last: { readonly rootUrl: string; readonly document: CachedDocument } | undefined;
  return (rootUrl) => {
    if (last?.rootUrl !== rootUrl) last = { rootUrl, document: render(rootUrl) };
    return last.document;
  };
}
