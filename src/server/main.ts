// The composition root: from a configuration to a server that answers. What stands on what is read off here.
import type { AddressInfo } from "node:net";
import type { Clock } from "../lib/clock.ts";
import { QUEUE_CLIENT_ID, staticClients } from "./services/auth/index.ts";
import { openArtifactStore } from "./core/artifact-store/open.ts";
import type { Config } from "./core/config.ts";
import { openDb, type Db } from "./core/db.ts";
import { openEventLog, type EventLog } from "./core/event-log/index.ts";
import { createHttpServer } from "./core/http/server.ts";
import { createLifecycle } from "./core/lifecycle.ts";
import { startLoop, type Loop } from "./core/loop.ts";
import type { Monitor } from "./core/monitor.ts";
import { createWakeUps } from "./core/wake-ups.ts";
import { migrate } from "./db/index.ts";
import { serveMetrics } from "./monitoring.ts";
import { createObjects } from "./services/object/index.ts";
import { createQueue } from "./services/queue/index.ts";
import { serveApi, versionDocument } from "./serve-api.ts";

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
  const { config, databaseUrl: url, monitor, clock, secrets, roles = ROLES, checked = false } = options;
  const { log, metrics } = monitor;
  const lifecycle = createLifecycle({ clock, log, stopTimeoutMs: config.server.stopTimeout });
  try {
    await migrate({ url, log });
    const { poolSize, statementTimeout: statementTimeoutMs } = config.database;
    const db = openDb({ url, log, poolSize, statementTimeoutMs, checkRows: checked });
    lifecycle.add("database", () => db.close());
    const wakeUps = await createWakeUps({ url, db, clock, log, intervalMs: config.events.notifyInterval });
    lifecycle.add("wake-ups", () => wakeUps.stop());

    const events = await openEventLog({ db, wakeUps, clock, monitor, config: config.events });
    lifecycle.add("event log", () => events.stop());

    const { secret } = secrets;
    const artifacts = await openArtifactStore({ config, secret, clock, log });
    lifecycle.add("artifact store", () => artifacts.close());

    const { rootClientId, staticClients: others, anonymousScopes } = config.auth;
    const clients = staticClients(
      { ...secrets, rootClientId, staticClients: others, anonymousScopes },
      clock.now(),
    );
    const issuer = clients.client(QUEUE_CLIENT_ID);
    if (!issuer) throw new Error("the queue has no client of its own to sign credentials with");
    const objects = createObjects({
      db,
      clock,
      monitor: monitor.child({ prefix: "object" }),
      artifacts: artifacts.store,
      config: config.objects,
    });
    const queue = createQueue({
      db,
      clock,
      config: config.queue,
      wakeUps,
      monitor: monitor.child({ prefix: "queue" }),
      metrics,
      artifacts: artifacts.store,
      objects,
      issuer,
    });
    lifecycle.add("notes of the queue", () => queue.writeNotes());

    const app = createHttpServer({
      bodyLimit: config.server.bodyLimit,
      keepAliveTimeoutMs: config.server.keepAliveTimeout,
      trustProxy: config.server.trustProxy,
      version: versionDocument,
      clock,
      monitor: monitor.child({ prefix: "http" }),
    });
    let rootUrl = config.server.rootUrl ?? "";
    if (roles.includes("api"))
      serveApi(app, {
        config,
        clock,
        monitor,
        db,
        clients,
        queue,
        objects,
        events,
        localArtifacts: artifacts.local,
        rootUrl: () => rootUrl,
        checked,
      });
    serveMetrics(app, metrics);
    await app.listen({ host: config.server.host, port: config.server.port });
    lifecycle.add("http", () => app.close());
    // Before the server waits for open requests to end: long polls would keep it waiting.
    lifecycle.add("waiting workers", () => queue.stop());
    // Listening on TCP, so the address is an object and not the path of a socket.
    rootUrl ||= ownUrl(app.server.address() as AddressInfo);

    const loops: Record<string, Loop> = {};
    if (roles.includes("loops")) {
      for (const [name, runOnce] of Object.entries({ ...queue.loops, ...objects.loops, ...events.loops })) {
        const topics = queue.wakeTopics[name] ?? [];
        const wake = (trigger: () => void): (() => void) => {
          const ends = topics.map((topic) => wakeUps.subscribe(topic, trigger));
          return () => ends.forEach((end) => end());
        };
        const { loopInterval: intervalMs } = config.queue;
        const loop = startLoop({ name, runOnce, intervalMs, wake, clock, monitor });
        lifecycle.add(`loop ${name}`, () => loop.stop());
        loops[name] = loop;
      }
      for (const consumer of queue.consumers) {
        const { stop } = events.consume(consumer);
        lifecycle.add(`consumer ${consumer.name}`, stop);
      }
    }
    const stop = async (): Promise<readonly string[]> => (await lifecycle.stop("asked to")).unclean;
    return { rootUrl, db, events, loops, stop };
  } catch (err) {
    await lifecycle.stop("the start failed");
    throw err;
  }
}

/** What a client on this machine would write; a server for others has its URL in the configuration. */
function ownUrl({ address, family, port }: AddressInfo): string {
  const isLocal = address === "127.0.0.1" || address === "::1" || address === "0.0.0.0" || address === "::";
  return `http://${isLocal ? "localhost" : family === "IPv6" ? `[${address}]` : address}:${port}`;
}
