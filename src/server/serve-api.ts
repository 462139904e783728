// Mounts everything that the server serves over HTTP: the services, their references, local artifacts and the pages.
import type { FastifyInstance } from "fastify";
import { services } from "../api/services.ts";
import type { Clock } from "../lib/clock.ts";
import { VERSION } from "../lib/version.ts";
import { serveLocalStore } from "./core/artifact-store/local/index.ts";
import type { CoreConfig } from "./core/config/core-settings.ts";
import { serveReferences } from "./core/http/serve-references.ts";
import { createBodyMemory } from "./core/http/admit-bodies.ts";
import type { Authenticate } from "./core/http/call.ts";
import { createHeavyCalls } from "./core/http/heavy-calls.ts";
import { sendDocument } from "./core/http/send-document.ts";
import { serve, type Handlers, type ServeOptions } from "./core/http/serve.ts";
import type { Monitor } from "./core/monitor.ts";
import type { CreatedService } from "./core/service.ts";
import { createHealth } from "./health.ts";
import { isOnlyLocal } from "./local-access.ts";
import { monitoringDocuments } from "./monitoring-documents.ts";
import { monitoringHandlers } from "./monitoring.ts";
import { servePages } from "./pages/index.ts";
import type { OpenedPlatform } from "./platform.ts";

export interface ApiOptions {
  readonly config: CoreConfig;
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly platform: OpenedPlatform;
  readonly running: readonly CreatedService[];
  readonly authenticate: Authenticate;
  readonly rootUrl: () => string;
  readonly setupLine: string | undefined;
  readonly checked: boolean;
}

/** In the form of Dockerflow's `version.json`. */
export const versionDocument = { version: VERSION, commit: "", source: "", build: "" };

export function serveApi(app: FastifyInstance, options: ApiOptions): void {
  const { config, clock, monitor, platform, running, authenticate, rootUrl, checked } = options;
  const isClosed = (config.access ?? "closed") === "closed";
  const { check, events, localArtifacts } = platform;
  const served: ServeOptions = {
    authenticate,
    rootUrl,
    bodyLimit: config.server.bodyLimit,
    bodyMemory: createBodyMemory(config.server.bodyMemory, clock),
    heavyCalls: createHeavyCalls({ places: config.server.heavyCalls, clock }),
    clock,
    monitor: monitor.child({ prefix: "api" }),
    checkReplies: checked,
    onCall: ({ service, name, method, status, ms }) => {
      const labels = { service, name, method, status: String(status) };
      monitor.metrics.httpRequests.inc(labels);
      monitor.metrics.httpRequestDuration.observe(labels, ms / 1000);
    },
  };
  const started = clock.now();
  const common = monitoringHandlers({
    version: versionDocument,
    uptimeMs: () => clock.now() - started,
    check,
  });
  for (const { api, service } of running) {
    // The service has handlers for the methods of its own API, and `common` has the rest.
    const handlers = { ...common, ...service.handlers } as Handlers<typeof api>;
    serve(app, api, handlers, served);
    for (const { path, read } of service.publicDocuments ?? [])
      app.get(path, async (request, reply) => sendDocument(request, reply, await read()));
  }
  serveReferences(app, {
    services,
    rootUrl,
    more: () => running.flatMap(monitoringDocuments),
  });
  if (localArtifacts)
    serveLocalStore(app, localArtifacts, {
      maxSize: config.artifacts.maxSize,
      async checkUpload(key) {
        for (const { service } of running) await service.checkUpload?.(key);
      },
      clock,
      monitor,
    });
  servePages(app, {
    services,
    rootUrl,
    isClosed,
    // A page that others may see does not show the folders of this machine.
    setupLine: isOnlyLocal(config.server) && !isClosed ? options.setupLine : undefined,
    version: VERSION,
    health: createHealth({
      probes: { Database: check, "Event log": () => events.positionNow() },
      checks: running.flatMap(({ service }) => service.healthChecks ?? []),
      clock,
      log: monitor.log,
    }),
    clock,
    monitor,
  });
}
