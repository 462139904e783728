// A server on this machine alone: its PostgreSQL, its secrets and its artifacts are in one folder.
import { rename, rm, writeFile } from "node:fs/promises";
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
  /** The root client, as this server knows it: the configuration may name another one than `secrets.json`. */
  readonly clientId: string;
  readonly accessToken: string;
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
  const rootAccessToken = config.auth.rootAccessToken ?? secrets.rootAccessToken;
  try {
    const server = await startServer({
      ...options,
      databaseUrl: config.database.url ?? embedded?.url ?? "",
      secrets: {
        rootAccessToken,
        secret: config.auth.secret ?? secrets.secret,
      },
    });
    const content: ServerFile = {
      rootUrl: server.rootUrl,
      clientId: config.auth.rootClientId,
      accessToken: rootAccessToken,
      pid: process.pid,
    };
    // Whole or not at all, and private from the first moment, whatever a killed server left under this name.
    const fresh = `${serverFile}.${process.pid}`;
    await writeFile(fresh, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    await rename(fresh, serverFile);
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
