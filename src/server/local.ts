// A self-contained server on one machine: its PostgreSQL, secrets and artifacts are in the home folder.
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { usingFolder } from "../lib/using-folder.ts";
import { loadOrCreateLocalSecrets, type LocalSecrets } from "./config/index.ts";
import type { Access } from "./core/config/core-settings.ts";
import { startEmbeddedPostgres } from "./core/embedded-postgres/index.ts";
import { createKeyFile } from "./core/encryption/key-file.ts";
import { keySourceOf, type KeySource } from "./core/encryption/key-source.ts";
import { localAccess } from "./local-access.ts";
import { startServer, type Server, type ServerOptions } from "./main.ts";

export type LocalServerOptions = Omit<ServerOptions, "databaseUrl" | "secrets" | "keySource"> & {
  /** Called when PostgreSQL cannot be kept running. The process should end. */
  readonly onGiveUp?: (cause: Error) => void;
};

export interface LocalServer extends Server {
  readonly access: Access;
  readonly secrets: LocalSecrets;
}

/** The content of `server.json` in the home folder, which commands on the same machine read. */
export interface ServerFile {
  readonly rootUrl: string;
  /** The root client of this server. The configuration may override the one in `secrets.json`. */
  readonly clientId: string;
  readonly accessToken: string;
  readonly pid: number;
}

/** Starts PostgreSQL (unless `database.url` is set) and a server on it. Writes `server.json` for other commands. */
export function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const { home } = options.config;
  const choice = "set TASKYARD_HOME or --home to another one";
  return usingFolder({ path: home, what: "The home folder", choice }, () => start(options));
}

async function start(options: LocalServerOptions): Promise<LocalServer> {
  const { monitor, onGiveUp } = options;
  const access = localAccess(options.config);
  const config = { ...options.config, access };
  const secrets = await loadOrCreateLocalSecrets(config.home);
  const keySource = keySourceOf(config) ?? (await localKeys(config.home));
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
      config,
      databaseUrl: config.database.url ?? embedded?.url ?? "",
      keySource,
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
    // Written to a temporary file and renamed: the file appears complete and private, whatever a killed server left at this path.
    const temporary = `${serverFile}.${process.pid}`;
    await writeFile(temporary, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    await rename(temporary, serverFile);
    return {
      ...server,
      access,
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

/** Returns the path of the file with the encryption keys of a local instance. */
export const localKeyFile = (home: string): string => join(home, "encryption-keys");

/**
 * Returns the key file in the home folder, which is created at the first start. Unlike secrets.json it must never be deleted,
 * and a rotation replaces it, so it is a file of its own.
 */
async function localKeys(home: string): Promise<KeySource> {
  const file = localKeyFile(home);
  await createKeyFile(file);
  return { file };
}
