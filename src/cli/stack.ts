// Starts a server, and a worker next to it, in this process. The server's code is loaded on demand, so that commands that
// only call a server start fast.
import { LISTEN_SCOPE } from "../api/events.ts";
import { systemClock } from "../lib/clock.ts";
import { VERSION } from "../lib/version.ts";
import { connect, type Client } from "../client/connect.ts";
import type { Credentials } from "../client/signer.ts";
import type * as Server from "../server/index.ts";
import type { Worker } from "../worker/main.ts";
import { CliError } from "./cli-error.ts";
import type { Output } from "./io.ts";

type ServerModule = typeof Server;
/** Where the configuration is read from. */
export type Sources = Parameters<ServerModule["loadConfig"]>[0];
export type Flags = NonNullable<Sources["flags"]>;

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
  const server = await loadServer();
  const { config, file, warnings } = server.loadConfig(sources);
  const log = server.createLog({
    ...config.log,
    destination: logTo,
    colors: logTo.isTTY === true && !sources.env["NO_COLOR"],
  });
  const { sentryDsn: dsn } = config.monitor;
  const monitor = server.createMonitor({
    log,
    metrics: server.createMetrics({ process: true }),
    ...(dsn !== undefined && { sink: server.sentrySink({ dsn, release: VERSION, log }) }),
  });
  if (file !== undefined) log.info({ file }, "configuration file");
  for (const warning of warnings) log.warn(warning);
  return { server, config, monitor };
}

export interface Stack {
  readonly client: Client;
  readonly credentials: Credentials;
  readonly config: Server.Config;
  /** Resolves if the stack cannot recover: its PostgreSQL is gone for good. */
  readonly broken: Promise<Error>;
  /** Stops the worker, then the server. Resolves to whether everything stopped cleanly. */
  stop(reason: string): Promise<boolean>;
}

/** Starts a server with all its dependencies on this machine, and optionally a worker. Its home page shows `setupLine`. */
export async function startStack(
  { server, config, monitor }: Prepared,
  withWorker: boolean,
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
  let worker: Worker | undefined;
  try {
    if (withWorker) worker = await startLocalWorker(config, monitor.log, rootUrl, credentials);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return {
    client: connect({ rootUrl, credentials }),
    credentials,
    config,
    broken,
    async stop(reason) {
      await worker?.stop(reason);
      return (await started.stop()).length === 0;
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
  if (databaseUrl === undefined || rootAccessToken === undefined || secret === undefined) {
    const missing = [
      databaseUrl === undefined ? "DATABASE_URL" : "",
      rootAccessToken === undefined ? "TASKYARD_AUTH_ROOT_ACCESS_TOKEN" : "",
      secret === undefined ? "TASKYARD_AUTH_SECRET" : "",
    ].filter((name) => name !== "");
    throw new CliError(
      `serve needs ${missing.join(", ")}, or the same settings in the configuration file: all processes of an instance ` +
        "share them. `taskyard up` starts an instance that creates its own.",
    );
  }
  const secrets = { rootAccessToken, secret };
  return server.startServer({ config, monitor, clock: systemClock, databaseUrl, roles, secrets });
}

/** Starts the configured worker, with only the scopes that it needs. */
async function startLocalWorker(
  { worker, artifacts }: Server.Config,
  log: Prepared["monitor"]["log"],
  rootUrl: string,
  credentials: Credentials,
): Promise<Worker> {
  const { taskQueueId, workerGroup, workerId } = worker;
  const authorizedScopes = [
    `queue:claim-work:${taskQueueId}`,
    `queue:worker-id:${workerGroup}/${workerId}`,
    "queue:status:*",
    LISTEN_SCOPE,
  ];
  const client = connect({ rootUrl, credentials, authorizedScopes });
  const { startWorker } = await import("../worker/main.ts");
  // Its server refuses larger uploads.
  const maxArtifactSize = Math.min(worker.maxArtifactSize, artifacts.maxSize);
  return startWorker({ ...worker, maxArtifactSize, client, log });
}
