// Everything that a server answers over HTTP, mounted on one app.
import type { FastifyInstance } from "fastify";
import { services } from "../api/services.ts";
import { VERSION } from "../lib/version.ts";
import { createAuth, type ClientDirectory } from "./services/auth/index.ts";
import { serveLocalStore, type LocalStore } from "./core/artifact-store/local/index.ts";
import type { Config } from "./core/config.ts";
import type { Clock } from "../lib/clock.ts";
import type { Db } from "./core/db.ts";
import type { EventLog } from "./core/event-log/index.ts";
import { serveReferences } from "./core/http/serve-references.ts";
import { serve, type ServeOptions } from "./core/http/serve.ts";
import type { Monitor } from "./core/monitor.ts";
import { sql } from "./core/sql.ts";
import { createHealth } from "./health.ts";
import { serveEvents } from "./services/events/index.ts";
import { monitoringHandlers } from "./monitoring.ts";
import { servePages } from "./pages/index.ts";
import type { Objects } from "./services/object/index.ts";
import type { Queue } from "./services/queue/index.ts";

export interface ApiOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly db: Db;
  readonly clients: ClientDirectory;
  readonly queue: Queue;
  readonly objects: Objects;
  readonly events: EventLog;
  /** Undefined where clients reach the artifacts without us. */
  readonly localArtifacts: LocalStore | undefined;
  /** Asked with each request: a server on a free port knows its URL only when it listens. */
  readonly rootUrl: () => string;
  readonly checked: boolean;
}

/** In the form of Dockerflow's `version.json`. */
export const versionDocument = { version: VERSION, commit: "", source: "", build: "" };

/** Adds the services, their references, the artifacts of the local store, and the pages. */
export function serveApi(app: FastifyInstance, options: ApiOptions): void {
  const { config, clock, monitor, db, clients, queue, objects, events, localArtifacts, rootUrl, checked } =
    options;
  const { trustProxy } = config.server;
  const auth = createAuth(
    { clients, clock, hawkSkewMs: config.auth.hawkSkew, rootUrl, trustProxy },
    monitor.metrics,
  );
  const served: ServeOptions = {
    authenticate: auth.authenticate,
    rootUrl,
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
  const check = async (): Promise<void> => void (await db.run(sql`select 1`));
  const common = monitoringHandlers({
    version: versionDocument,
    uptimeMs: () => clock.now() - started,
    check,
  });
  serve(app, services.queue, { ...common, ...queue.handlers }, served);
  serve(app, services.object, { ...common, ...objects.handlers }, served);
  serve(app, services.auth, { ...common, ...auth.handlers }, served);
  serveEvents(app, { events, config: config.events, common, served });
  serveReferences(app, { services, rootUrl });
  if (localArtifacts)
    serveLocalStore(app, localArtifacts, { maxSize: config.artifacts.maxSize, clock, monitor });
  servePages(app, {
    services,
    rootUrl,
    version: VERSION,
    health: createHealth({
      probes: { Database: check, "Event log": () => events.positionNow() },
      workerSeen: () => queue.workerSeen(),
      clock,
      log: monitor.log,
    }),
    clock,
    monitor,
  });
}
