// A server on this machine alone: its PostgreSQL, its secrets and its artifacts are in one folder.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadOrCreateLocalSecrets, type LocalSecrets } from "./core/config/local-secrets.ts";
import { startEmbeddedPostgres } from "./core/embedded-postgres/index.ts";
import { startServer, type Server, type ServerOptions } from "./main.ts";

export type LocalServerOptions = Omit<ServerOptions, "databaseUrl" | "secrets"> & {
  /** PostgreSQL could not be kept running: the process should end. */
  readonly onGiveUp?: (cause: Error) => void;
};

export interface LocalServer extends Server {
  readonly secrets: LocalSecrets;
}

/** What `server.json` in the home folder says, for commands on the same machine. */
export interface ServerFile {
  readonly rootUrl: string;
  /** The root client, whose access token is in `secrets.json`. */
  readonly clientId: string;
  readonly pid: number;
}

/** Starts PostgreSQL (unless `database.url` names one) and a server on it; tells other commands where it is. */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const { config, monitor, onGiveUp } = options;
  const secrets = await loadOrCreateLocalSecrets(config.home);
  const embedded =
    config.database.url === undefined
      ? await startEmbeddedPostgres({
          dataDir: join(config.home, "postgres"),
          log: monitor.log,
          ...(onGiveUp && { onGiveUp }),
        })
      : undefined;
  const serverFile = join(config.home, "server.json");
  try {
    const server = await startServer({
      ...options,
      databaseUrl: config.database.url ?? embedded?.url ?? "",
      secrets: {
        rootAccessToken: config.auth.rootAccessToken ?? secrets.rootAccessToken,
        secret: config.auth.secret ?? secrets.secret,
      },
    });
    const content: ServerFile = {
      rootUrl: server.rootUrl,
      clientId: config.auth.rootClientId,
      pid: process.pid,
    };
    await writeFile(serverFile, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    return {
      ...server,
      secrets,
      stop: async () => {
        await rm(serverFile, { force: true });
        const unclean = await server.stop();
        await embedded?.stop();
        return unclean;
      },
    };
  } catch (err) {
    await embedded?.stop();
    throw err;
  }
}
