// Serves the published contract: references, schemas, the manifest and the OpenAPI document.
import type { FastifyInstance } from "fastify";
import { MANIFEST_PATH, renderDocuments, renderManifest } from "../../../api/references/documents.ts";
import { absolute, type PublishedDocument } from "../../../api/references/locations.ts";
import { renderOpenApi } from "../../../api/references/openapi.ts";
import type { Service } from "../../../api/service.ts";
import { VERSION } from "../../../lib/version.ts";
import { withoutTrailingSlashes } from "../../../lib/trailing-slashes.ts";
import { nothingAt } from "./nothing-at.ts";
import { jsonDocument, sendDocument, type CachedDocument } from "./send-document.ts";

export interface ReferencesOptions {
  readonly services: Readonly<Record<string, Service>>;
  /** Returns further references, which the manifest lists too. */
  readonly more: () => readonly PublishedDocument[];
  /** Called for each request, since a server on a free port has a root URL only once it listens. */
  readonly rootUrl: () => string;
}

const OPENAPI_PATH = "/openapi.json";

/** Adds the routes of the documents. A document is rendered on its first request and cached as text. */
export function serveReferences(app: FastifyInstance, options: ReferencesOptions): void {
  const services = Object.values(options.services);
  const publish = (path: string, render: (rootUrl: string) => object): void => {
    const documentFor = cacheLast((rootUrl) => jsonDocument(render(rootUrl)));
    app.get(path, (request, reply) => sendDocument(request, reply, documentFor(options.rootUrl())));
  };
  publish(MANIFEST_PATH, (rootUrl) => renderManifest(services, rootUrl, options.more()));
  publish(OPENAPI_PATH, (rootUrl) => renderOpenApi({ services, rootUrl, version: VERSION }));

  // One route per folder, and no document before the first request: a route for each of 180 documents and their rendering took
  // a quarter of the CPU time of a start.
  let documents: ReadonlyMap<string, DocumentFor> | undefined;
  const read = (): ReadonlyMap<string, DocumentFor> =>
    new Map(
      [...renderDocuments(services), ...options.more()].map(({ path, content }) => [
        path,
        cacheLast((rootUrl) => jsonDocument(absolute(content, rootUrl))),
      ]),
    );
  for (const folder of ["/references/", "/schemas/"])
    app.get<{ Params: { readonly "*": string } }>(`${folder}*`, (request, reply) => {
      documents ??= read();
      const documentFor = documents.get(folder + withoutTrailingSlashes(request.params["*"]));
      if (documentFor === undefined)
        throw nothingAt(
          request,
          [...documents.keys()].map((url) => ({ method: "GET", url })),
        );
      return sendDocument(request, reply, documentFor(options.rootUrl()));
    });
}

type DocumentFor = (rootUrl: string) => CachedDocument;

/** Caches the last document. The root URL changes at most once, when the server starts to listen. */
function cacheLast(render: DocumentFor): DocumentFor {
  let last: { readonly rootUrl: string; readonly document: CachedDocument } | undefined;
  return (rootUrl) => {
    if (last?.rootUrl !== rootUrl) last = { rootUrl, document: render(rootUrl) };
    return last.document;
  };
}
