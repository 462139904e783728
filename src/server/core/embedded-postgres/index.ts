// A PostgreSQL of our own: starts a cluster in a folder, keeps it running, and takes it down with us.
import { chmod, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { findPackage, usableBinaries } from "./binaries.ts";
import { untilFree } from "./cluster-use.ts";
import { removeStaleLocks } from "./lock-files.ts";
import { databaseUser, makeCluster, makePlace, makeSocketFolder } from "./place.ts";
import { startPostmaster } from "./postmaster.ts";
import { configText, type Settings } from "./settings.ts";
import { supervise } from "./supervise.ts";
import { clusterUser } from "./system-user.ts";

/** Where the embedded server reports; a pino logger fits. */
export interface EmbeddedPostgresLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EmbeddedPostgresOptions {
  /**
   * Folder for all that belongs to the server, made if need be: `data` (the cluster), `run` (its socket),
   * `binaries` (a copy of the programs, where one is needed). May be or become a symbolic link, see `makePlace`.
   */
  dataDir: string;
  log: EmbeddedPostgresLog;
  /** Settings of PostgreSQL on top of ours; tests switch `fsync` off. */
  settings?: Settings;
  /** The server ended and could not be brought back, in spite of many attempts. Nothing more will be tried. */
  onGiveUp?: (cause: Error) => void;
}

export interface EmbeddedPostgres {
  /** For node-postgres and psql alike. Stays the same when the server is restarted. */
  readonly url: string;
  /** Process id of the server at this moment; another one after a restart, 0 while it is away. */
  readonly pid: number;
  /** Shuts the server down: in order, by force after 5 s. No process is left when it resolves. */
  stop(): Promise<void>;
}

/**
 * Starts the server, making the cluster first if there is none, and resolves when it takes connections. From
 * then on it is restarted when it dies, and ends with our process however that ends.
 *
 * Rejects, with what to do in the message, where the platform has no binaries, the data is of another major
 * version, or another process uses it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  const programs = findPackage();
  const dataDir = path.resolve(options.dataDir);
  const user = await clusterUser(path.join(dataDir, "data"));
  const place = await makePlace(dataDir, user);
  const cluster = path.join(place, "data");
  const binaries = await usableBinaries(programs, path.join(place, "binaries"), user);
  if (await makeCluster(cluster, binaries, user)) log.info({ cluster }, "made a new PostgreSQL cluster");

  const ownerFile = path.join(place, "owner.pid");
  const onWait = (pid: number): void => log.info({ pid }, "waiting for the previous PostgreSQL to end");
  await untilFree({ cluster, ownerFile, onWait });
  const socket = await makeSocketFolder(place, user);
  const config = path.join(place, "postgresql.conf");
  await writeFile(config, configText(cluster, options.settings ?? {}));
  await chmod(config, 0o644);

  const report = (line: string): void =>
    isTrouble(line) ? log.warn({ line }, "postgres") : log.debug({ line }, "postgres");
  const supervised = await supervise({
    log,
    async start(signal) {
      await untilFree({ cluster, onWait });
      await removeStaleLocks(cluster, socket.folder);
      const args = serverArguments(cluster, config, socket.folder);
      return startPostmaster({ program: binaries.postgres, args, cluster, user, signal, onLine: report });
    },
    onGiveUp: options.onGiveUp ?? (() => undefined),
  });
  const stop = async (): Promise<void> => {
    await supervised.stop();
    await rm(ownerFile, { force: true });
    if (socket.temporary) await rm(socket.folder, { recursive: true, force: true });
  };
  try {
    await writeFile(ownerFile, `${process.pid}\n`);
    await makeDatabase(databaseUrl(socket.folder, "postgres"));
  } catch (err) {
    await stop();
    throw err;
  }
  return {
    url: databaseUrl(socket.folder, databaseUser),
    get pid() {
      return supervised.current()?.pid ?? 0;
    },
    stop,
  };
}

// That it starts, stops or ends their connections is told to its clients too, a hundred times over under load.
function isTrouble(line: string): boolean {
  return /^(FATAL|PANIC): /.test(line) && !/the database system is|terminating connection/.test(line);
}

function serverArguments(cluster: string, config: string, socketFolder: string): string[] {
  return [
    ["-D", cluster],
    ["-c", `config_file=${config}`],
    // Not in the file, so that nothing in it or in the cluster can open the server to others.
    ["-c", "listen_addresses="],
    ["-c", `unix_socket_directories="${socketFolder.replaceAll('"', '""')}"`],
    ["-c", "unix_socket_permissions=0700"],
  ].flat();
}

function databaseUrl(socketFolder: string, database: string): string {
  return `postgres://${databaseUser}@/${database}?host=${encodeURIComponent(socketFolder)}`;
}

async function makeDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [databaseUser]);
    if (rowCount === 0) await client.query(`create database ${databaseUser}`);
  } finally {
    await client.end();
  }
}
