// The composition root: starts the platform, then every service of the list, then HTTP and the loops.
import type { AddressInfo } from "node:net";
import type { Clock } from "../lib/clock.ts";
import type { Config } from "./config/index.ts";
import type { Db } from "./core/db.ts";
import type { KeySource } from "./core/encryption/key-source.ts";
import type { EventLog } from "./core/event-log/index.ts";
import { checkHost } from "./core/http/check-host.ts";
import { createHttpServer } from "./core/http/server.ts";
import { createLifecycle } from "./core/lifecycle.ts";
import { startLoop, type Loop, type LoopDefinition } from "./core/loop.ts";
import { declareMetrics } from "./core/metrics.ts";
import type { Monitor } from "./core/monitor.ts";
import { serviceClient } from "./core/service-client.ts";
import { createServices, encryptedColumns, type InstanceSecrets } from "./core/service.ts";
import type { WakeUps } from "./core/wake-ups.ts";
import { serveHeartbeat, serveMetrics } from "./monitoring.ts";
import { openPlatform } from "./platform.ts";
import { serveApi, versionDocument } from "./serve-api.ts";
import { services } from "./services.ts";
import { InternalError } from "../lib/internal-error.ts";

/** What a server process does. All by default; several processes may share the work. */
export const ROLES = ["api", "loops"] as const;
export type Role = (typeof ROLES)[number];

export interface ServerOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly secrets: InstanceSecrets;
  readonly keySource: KeySource;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly roles?: readonly Role[];
  /** The line that sets up a shell on this machine for this server, if there is one. The home page shows it. */
  readonly setupLine?: string;
  /** Replaces the intervals of all loops, in milliseconds; for tests that run loops themselves. */
  readonly loopIntervalMs?: number;
  /** Whether a process with loops also runs the consumers of events. Default: true. Most tests need none. */
  readonly consumers?: boolean;
  /** Checks rows and replies against their schemas; for tests. */
  readonly checked?: boolean;
  /** The size of the parts of large uploads to S3; for tests. Default: 64 MiB. */
  readonly partBytes?: number | undefined;
}

export interface Server {
  /** The URL that clients use, without a trailing slash. */
  readonly rootUrl: string;
  /** Address and port on which this process accepts connections. */
  readonly listening: string;
  readonly db: Db;
  readonly events: EventLog;
  /** The loops that this process runs, by name. */
  readonly loops: Readonly<Record<string, Loop>>;
  /** Stops accepting requests and finishes those in flight. Returns the names of parts that did not stop in time. */
  stop(): Promise<readonly string[]>;
}

/** Migrates the database, starts everything, and resolves when the server accepts requests. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const {
    config,
    databaseUrl,
    monitor,
    clock,
    secrets,
    keySource,
    roles = ROLES,
    setupLine,
    consumers = true,
    loopIntervalMs,
    checked = false,
  } = options;
  const lifecycle = createLifecycle({ clock, log: monitor.log, stopTimeoutMs: config.server.stopTimeout });
  try {
    const loaded = await services.load();
    const platform = await openPlatform({
      config,
      databaseUrl,
      secrets,
      keySource,
      encrypted: encryptedColumns(loaded),
      monitor,
      clock,
      checked,
      partBytes: options.partBytes,
      lifecycle,
    });
    const { db, check, events, wakeUps } = platform;
    let rootUrl = config.server.rootUrl ?? "";
    const serviceClients = loaded.flatMap(({ client }) =>
      client ? [serviceClient(client, secrets.secret)] : [],
    );
    const running = createServices(loaded, ({ api, metrics, client }) => ({
      ...platform,
      config,
      clock,
      secrets,
      monitor: monitor.child({ prefix: api.name }),
      metrics: declareMetrics(monitor.metrics.registry, metrics),
      rootUrl: () => rootUrl,
      client: serviceClients.find(({ clientId }) => clientId === client?.clientId),
      serviceClients,
      contracts: loaded,
    }));
    for (const { api, service } of running)
      if (service.stop) lifecycle.add(`service ${api.name}`, service.stop);
    for (const { service } of running) await service.start?.();

    const app = createHttpServer({
      keepAliveTimeoutMs: config.server.keepAliveTimeout,
      trustProxy: config.server.trustProxy,
      connections: {
        all: config.server.maxConnections,
        // Behind a proxy, all connections have its address.
        perAddress: config.server.trustProxy ? undefined : config.server.maxConnectionsPerAddress,
      },
      replyMemory: config.server.replyMemory,
      version: versionDocument,
      clock,
      monitor: monitor.child({ prefix: "http" }),
    });
    const { host, rootUrl: publicUrl, hostNames } = config.server;
    checkHost(app, { listening: host, rootUrl: publicUrl, names: hostNames });
    const authenticate = running.find(({ service }) => service.authenticate)?.service.authenticate;
    if (authenticate === undefined) throw new InternalError("no service authenticates callers");
    if (roles.includes("api"))
      serveApi(app, {
        config,
        clock,
        monitor,
        platform,
        running,
        authenticate,
        rootUrl: () => rootUrl,
        setupLine,
        checked,
      });
    serveHeartbeat(app, check);
    serveMetrics(app, monitor.metrics, { authenticate, token: config.server.metricsToken });
    await app.listen({ host: config.server.host, port: config.server.port });
    lifecycle.add("http", () => app.close());
    // Runs before `http` closes, which waits for long polls and streams to end.
    lifecycle.add("waiting calls", () => {
      for (const { service } of running) service.drain?.();
    });
    // The server listens on TCP, so its address is an object and not the path of a socket.
    const at = app.server.address() as AddressInfo;
    const listening = `${at.family === "IPv6" ? `[${at.address}]` : at.address}:${at.port}`;
    rootUrl ||= ownUrl(at);

    const loops: Record<string, Loop> = {};
    if (roles.includes("loops")) {
      for (const definition of [...events.loops, ...running.flatMap(({ service }) => service.loops ?? [])]) {
        const intervalMs = loopIntervalMs ?? definition.intervalMs;
        const wake = wakeOn(wakeUps, definition);
        const loop = startLoop({ ...definition, intervalMs, wake, clock, monitor });
        lifecycle.add(`loop ${definition.name}`, () => loop.stop());
        loops[definition.name] = loop;
      }
      for (const consumer of consumers ? running.flatMap(({ service }) => service.consumers ?? []) : []) {
        const { stop } = events.consume(consumer);
        lifecycle.add(`consumer ${consumer.name}`, stop);
      }
    }
    const stop = async (): Promise<readonly string[]> => (await lifecycle.stop("requested")).unclean;
    return { rootUrl, listening, db, events, loops, stop };
  } catch (err) {
    await lifecycle.stop("the start failed");
    throw err;
  }
}

/** Subscribes a loop to its wake-up topics. */
const wakeOn =
  (wakeUps: WakeUps, { wakeOn: topics = [] }: LoopDefinition) =>
  (trigger: () => void): (() => void) => {
    const ends = topics.map((topic) => wakeUps.subscribe(topic, trigger));
    return () => ends.forEach((end) => end());
  };

/** The URL for clients on this machine. A server for other machines has its URL in the configuration. */
function ownUrl({ address, family, port }: AddressInfo): string {
  const isLocal = address === "127.0.0.1" || address === "::1" || address === "0.0.0.0" || address === "::";
  return `http://${isLocal ? "localhost" : family === "IPv6" ? `[${address}]` : address}:${port}`;
}
