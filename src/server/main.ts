// The composition root: from a configuration to a server that answers. What stands on what is read off here.
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { services } from "../api/services.ts";
import type { Clock } from "../lib/clock.ts";
import { VERSION } from "../lib/version.ts";
import { createAuth, QUEUE_CLIENT_ID, staticClients, type ClientDirectory } from "./auth/index.ts";
import { openLocalStore, serveLocalStore } from "./core/artifact-store/local/index.ts";
import type { Config } from "./core/config.ts";
import { openDb, type Db } from "./core/db.ts";
import { openEventLog, type EventLog } from "./core/event-log/index.ts";
import { serveReferences } from "./core/http/references.ts";
import { serve, type ServeOptions } from "./core/http/serve.ts";
import { createHttpServer } from "./core/http/server.ts";
import { createLifecycle } from "./core/lifecycle.ts";
import { startLoop, type Loop } from "./core/loop.ts";
import type { Monitor } from "./core/monitor.ts";
import { sql } from "./core/sql.ts";
import { createWakeUps } from "./core/wake-ups.ts";
import { migrate } from "./db/migrate.ts";
import { serveEvents } from "./events/index.ts";
import { createHealth } from "./health.ts";
import { monitoringHandlers, serveMetrics } from "./monitoring.ts";
import { servePages } from "./pages/index.ts";
import { createQueue } from "./queue/index.ts";

/** What a server process does. All by default; several processes may share the work. */
export const ROLES = ["api", "loops"] as const;
export type Role = (typeof ROLES)[number];

export interface ServerOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  /** The root client's token, and the secret from which the server's own keys are derived. */
  readonly secrets: { readonly rootAccessToken: string; readonly secret: string };
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly roles?: readonly Role[];
  /** Checks rows and replies against their schemas; for tests. */
  readonly checked?: boolean;
}

export interface Server {
  /** Where clients reach it, without a trailing slash. */
  readonly rootUrl: string;
  readonly db: Db;
  readonly events: EventLog;
  /** The loops that this process runs, by name. */
  readonly loops: Readonly<Record<string, Loop>>;
  /** Stops accepting, finishes what is under way, sends waiting workers home. Answers what did not end in time. */
  stop(): Promise<readonly string[]>;
}

/** Migrates the database, starts everything, and resolves when requests are answered. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { config, databaseUrl: url, monitor, clock, roles = ROLES, checked = false } = options;
  const { log } = monitor;
  const lifecycle = createLifecycle({ clock, log, stopTimeoutMs: config.server.stopTimeout });
  try {
    await migrate({ url, log });
    const { poolSize, statementTimeout: statementTimeoutMs } = config.database;
    const db = openDb({ url, log, poolSize, statementTimeoutMs, checkRows: checked });
    lifecycle.add("database", () => db.close());
    const wakeUps = await createWakeUps({ url, db, clock, log, intervalMs: config.events.notifyInterval });
    lifecycle.add("wake-ups", () => wakeUps.stop());
    const events = await openEventLog({ db, wakeUps, clock, config: config.events, monitor });
    lifecycle.add("event log", () => events.stop());
    const { dir, signedUrlExpires } = config.artifacts;
    const { secret } = options.secrets;
    const { rootUrl: knownAs } = config.server;
    const artifacts = await openLocalStore({ dir, secret, signedUrlExpires, rootUrl: knownAs, clock });

    const clients = directory(options);
    const issuer = clients.client(QUEUE_CLIENT_ID);
    if (!issuer) throw new Error("the queue has no client of its own to sign credentials with");
    const { metrics } = monitor;
    const queue = createQueue({
      db,
      clock,
      config: config.queue,
      wakeUps,
      monitor,
      metrics,
      artifacts,
      issuer,
    });

    const app = createHttpServer({
      bodyLimit: config.server.bodyLimit,
      keepAliveTimeoutMs: config.server.keepAliveTimeout,
      trustProxy: config.server.trustProxy,
      version,
      clock,
      monitor: monitor.child({ prefix: "http" }),
    });
    let rootUrl = knownAs ?? "";
    const serving = { ...options, checked, clients, db, events, artifacts, queue, rootUrl: () => rootUrl };
    if (roles.includes("api")) serveApi(app, serving);
    serveMetrics(app, metrics);
    await app.listen({ host: config.server.host, port: config.server.port });
    lifecycle.add("http", () => app.close());
    // Before the server waits for open requests to end: long polls would keep it waiting.
    lifecycle.add("waiting workers", () => queue.stop());
    rootUrl ||= ownUrl(app.server.address() as AddressInfo);

    const loops: Record<string, Loop> = {};
    if (roles.includes("loops"))
      for (const [name, runOnce] of Object.entries({ ...queue.loops, ...events.loops })) {
        const loop = startLoop({ name, runOnce, intervalMs: config.queue.loopInterval, clock, monitor });
        lifecycle.add(`loop ${name}`, () => loop.stop());
        loops[name] = loop;
      }
    const stop = async (): Promise<readonly string[]> => (await lifecycle.stop("asked to")).unclean;
    return { rootUrl, db, events, loops, stop };
  } catch (err) {
    await lifecycle.stop("the start failed");
    throw err;
  }
}

const version = { version: VERSION, commit: "", source: "", build: "" };

interface Serving extends ServerOptions {
  readonly clients: ClientDirectory;
  readonly db: Db;
  readonly events: EventLog;
  readonly artifacts: Awaited<ReturnType<typeof openLocalStore>>;
  readonly queue: ReturnType<typeof createQueue>;
  readonly rootUrl: () => string;
}

function serveApi(app: FastifyInstance, on: Serving): void {
  const { config, clock, monitor, db, rootUrl, clients } = on;
  const { trustProxy } = config.server;
  const auth = createAuth({ clients, clock, hawkSkewMs: config.auth.hawkSkew, rootUrl, trustProxy });
  const served: ServeOptions = {
    authenticate: auth.authenticate,
    rootUrl,
    clock,
    monitor: monitor.child({ prefix: "api" }),
    checkReplies: on.checked ?? false,
    onCall: ({ service, name, method, status, ms }) => {
      const labels = { service, name, method, status: String(status) };
      monitor.metrics.httpRequests.inc(labels);
      monitor.metrics.httpRequestDuration.observe(labels, ms / 1000);
    },
  };
  const started = clock.now();
  const check = async (): Promise<void> => void (await db.run(sql`select 1`));
  const common = monitoringHandlers({ version, uptimeMs: () => clock.now() - started, check });
  serve(app, services.queue, { ...common, ...on.queue.handlers }, served);
  serve(app, services.auth, { ...common, ...auth.handlers }, served);
  serveEvents(app, { events: on.events, config: config.events, common, served });
  serveReferences(app, { services, rootUrl });
  serveLocalStore(app, on.artifacts, { maxSize: config.artifacts.maxSize, clock, monitor });
  const health = createHealth({ check, workerSeen: on.queue.workerSeen, clock });
  servePages(app, { services, rootUrl, version: VERSION, health, clock, monitor });
}

function directory({ config, secrets, clock }: ServerOptions): ClientDirectory {
  const { rootClientId, staticClients: others, anonymousScopes } = config.auth;
  return staticClients({ ...secrets, rootClientId, staticClients: others, anonymousScopes }, clock.now());
}

/** What a client on this machine would write; a server for others has its URL in the configuration. */
function ownUrl({ address, family, port }: AddressInfo): string {
  const isLocal = address === "127.0.0.1" || address === "::1" || address === "0.0.0.0" || address === "::";
  return `http://${isLocal ? "localhost" : family === "IPv6" ? `[${address}]` : address}:${port}`;
}
