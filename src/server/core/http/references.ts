// Serves what is published of the contract: references, schemas, the manifest and the OpenAPI document.
import type { FastifyInstance } from "fastify";
import { MANIFEST_PATH, renderDocuments, renderManifest } from "../../../api/references/documents.ts";
import { absolute } from "../../../api/references/locations.ts";
import { renderOpenApi } from "../../../api/references/openapi.ts";
import type { Service } from "../../../api/service.ts";
import { VERSION } from "../../../lib/version.ts";
import { jsonDocument, sendDocument, type WireDocument } from "./documents.ts";

export interface ReferencesOptions {
  readonly services: Readonly<Record<string, Service>>;
  /** Asked with each request, since a server on a free port knows it only when it listens. */
  readonly rootUrl: () => string;
}

/** Where the OpenAPI document is. */
const OPENAPI_PATH = "/openapi.json";

/** Adds a route for each document. Each is rendered when it is first asked for, and kept as text. */
export function serveReferences(app: FastifyInstance, options: ReferencesOptions): void {
  const services = Object.values(options.services);
  const publish = (path: string, render: (rootUrl: string) => object): void => {
    const documentFor = oncePerRootUrl((rootUrl) => jsonDocument(render(rootUrl)));
    app.get(path, (request, reply) => sendDocument(request, reply, documentFor(options.rootUrl())));
  };
  for (const { path, content } of renderDocuments(services))
    publish(path, (rootUrl) => absolute(content, rootUrl));
  publish(MANIFEST_PATH, (rootUrl) => renderManifest(services, rootUrl));
  publish(OPENAPI_PATH, (rootUrl) => renderOpenApi({ services, rootUrl, version: VERSION }));
}

/** Remembers the last document; the root URL changes at most once, when the server learns its port. */
function oncePerRootUrl(make: (rootUrl: string) => WireDocument): (rootUrl: string) => WireDocument {
  let last: { readonly rootUrl: string; readonly document: WireDocument } | undefined;
  return (rootUrl) => {
    if (last?.rootUrl !== rootUrl) last = { rootUrl, document: make(rootUrl) };
    return last.document;
  };
}
