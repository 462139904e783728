// Starts a server in this process, and a worker beside it. The server's code is loaded on demand, so that commands that only
// call a server start fast.
import { systemClock } from "../lib/clock.ts";
import { VERSION } from "../lib/version.ts";
import { connect, type Client } from "../client/connect.ts";
import type { Credentials } from "../client/signer.ts";
import type * as Server from "../server/index.ts";
import { CliError } from "./cli-error.ts";
import { configure, type Sources } from "./configuration.ts";
import type { Io, Output } from "./io.ts";
import { localWorkerCredentials } from "./local-worker-credentials.ts";
import { startLocalWorker, stopLimitMs, type LocalWorker } from "./local-worker.ts";

type ServerModule = typeof Server;

// oxlint-disable-next-line no-restricted-imports -- the only place where the command line loads the server
const loadServer = (): Promise<ServerModule> => import("../server/index.ts");

/** The server's code, its configuration and its monitor. */
export interface Prepared {
  readonly server: ServerModule;
  readonly config: Server.Config;
  readonly monitor: ReturnType<ServerModule["createMonitor"]>;
}

/** Loads the server and its configuration. Logs go to `logTo`. */
export async function prepare(sources: Sources, logTo: Output): Promise<Prepared> {
  const [server, { config, log }] = await Promise.all([loadServer(), configure(sources, logTo)]);
  const { sentryDsn: dsn } = config.monitor;
  const monitor = server.createMonitor({
    log,
    metrics: server.createMetrics({ process: true }),
    ...(dsn !== undefined && { sink: server.sentrySink({ dsn, release: VERSION, log }) }),
  });
  return { server, config, monitor };
}

export interface Stack {
  readonly client: Client;
  readonly credentials: Credentials;
  readonly config: Server.Config;
  /** What callers without credentials may read. */
  readonly access: Server.LocalServer["access"];
  /** Resolves if the stack cannot recover: its PostgreSQL is gone for good. */
  readonly broken: Promise<Error>;
  /** Stops the worker, then the server. Resolves to whether everything stopped cleanly. */
  stop(reason: string): Promise<boolean>;
}

/** How long PostgreSQL may take to stop: its watchdog ends it by force after ten seconds. */
const postgresStopMs = 15_000;

/** Returns how long the stop of a stack takes at most. */
export const stackStopMs = ({ worker, server }: Server.Config): number =>
  stopLimitMs(worker) + server.stopTimeout + postgresStopMs;

/** Starts a server with all its dependencies on this machine, and a worker unless `workerEnv` is undefined. Its home page shows `setupLine`. */
export async function startStack(
  { server, config, monitor }: Prepared,
  workerEnv: Io["env"] | undefined,
  setupLine?: string,
): Promise<Stack> {
  let onGiveUp: (cause: Error) => void = () => undefined;
  const broken = new Promise<Error>((resolve) => (onGiveUp = resolve));
  const started = await server.startLocalServer({
    config,
    monitor,
    clock: systemClock,
    onGiveUp,
    ...(setupLine !== undefined && { setupLine }),
  });
  const credentials = {
    clientId: config.auth.rootClientId,
    accessToken: config.auth.rootAccessToken ?? started.secrets.rootAccessToken,
  };
  const { rootUrl } = started;
  let worker: LocalWorker | undefined;
  try {
    if (workerEnv) {
      worker = await startLocalWorker({
        rootUrl,
        settings: workerSettingsOf(config),
        credentials: () =>
          localWorkerCredentials(server.createTemporaryCredentials, credentials, config.worker),
        env: workerEnv,
        log: monitor.child({ prefix: "worker" }).log,
        clock: systemClock,
      });
    }
  } catch (error) {
    await started.stop();
    throw error;
  }
  return {
    client: connect({ rootUrl, credentials }),
    credentials,
    config,
    access: started.access,
    broken,
    async stop(reason) {
      if (worker) monitor.log.info({ reason }, "stopping the worker");
      const isClean = (await worker?.stop()) ?? true;
      return (await started.stop()).length === 0 && isClean;
    },
  };
}

/** Starts only a server, with the database and the secrets of the configuration. */
export async function startServerAlone(
  { server, config, monitor }: Prepared,
  roles: readonly Server.Role[],
): Promise<Server.Server> {
  const { rootAccessToken, secret } = config.auth;
  const { url: databaseUrl } = config.database;
  const keySource = server.keySourceOf(config);
  if (
    databaseUrl === undefined ||
    rootAccessToken === undefined ||
    secret === undefined ||
    keySource === undefined
  ) {
    const missing = [
      databaseUrl === undefined ? "DATABASE_URL" : "",
      rootAccessToken === undefined ? "TASKYARD_AUTH_ROOT_ACCESS_TOKEN" : "",
      secret === undefined ? "TASKYARD_AUTH_SECRET" : "",
      keySource === undefined ? "TASKYARD_ENCRYPTION_KEYS (a key from `openssl rand -base64 32`)" : "",
    ].filter((name) => name !== "");
    throw new CliError(
      `serve needs ${missing.join(", ")}, or the same settings in the configuration file: all processes of an instance ` +
        "share them. `taskyard up` starts an instance that creates its own.",
    );
  }
  const secrets = { rootAccessToken, secret };
  return server.startServer({ config, monitor, clock: systemClock, databaseUrl, roles, secrets, keySource });
}

/** Returns the settings of the local worker. Its server refuses larger uploads than the store accepts. */
const workerSettingsOf = ({ worker, artifacts }: Server.Config): Server.Config["worker"] => ({
  ...worker,
  maxArtifactSize: Math.min(worker.maxArtifactSize, artifacts.maxSize),
});
