// The embedded PostgreSQL: starts a cluster in a folder, keeps it running, and stops it with this process.
import { chmod, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { supervise } from "../../../lib/supervise.ts";
import { ownName, writeAccessRules, type AccessRules } from "./access-rules.ts";
import { findPackage, prepareBinaries } from "./binaries.ts";
import { waitUntilFree } from "./cluster-use.ts";
import { databaseUrl } from "./database-url.ts";
import { removeStaleLocks } from "./lock-files.ts";
import { databaseUser, createCluster, createDataDir, createSocketFolder } from "./create-cluster.ts";
import { startPostmaster } from "./postmaster.ts";
import { configText, type Settings } from "./settings.ts";
import { clusterUser } from "./system-user.ts";

// About a minute and a half: enough time to notice a full disk, short enough for a restart by systemd.
const maxAttempts = 20;

/** The log of the embedded server. A pino logger implements it. */
export interface EmbeddedPostgresLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EmbeddedPostgresOptions {
  /**
   * Folder of all files of the server, created if needed: `data` (the cluster), `run` (its socket), `binaries` (a copy
   * of the programs, if needed). May be or become a symbolic link, see `createDataDir`.
   */
  dataDir: string;
  log: EmbeddedPostgresLog;
  /** Settings of PostgreSQL that override ours. Tests turn `fsync` off. */
  settings?: Settings;
  /** Called if the server ended and could not be restarted after many attempts. There are no further attempts. */
  onGiveUp?: (cause: Error) => void;
}

export interface EmbeddedPostgres {
  /** Works for node-postgres and psql. Stays the same when the server is restarted. */
  readonly url: string;
  /** Current process id of the server. It changes with a restart, and is 0 while the server is down. */
  readonly pid: number;
  /** Shuts the server down, by force after 5 s. When it resolves, no process is left. */
  stop(): Promise<void>;
}

/**
 * Creates the cluster if there is none, starts the server, and resolves when it accepts connections. From then on the
 * server is restarted when it ends, and stops with this process, however that ends.
 *
 * Rejects with a remedy in the message if the platform has no binaries, the data is of another major version, or
 * another process uses it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  const programs = findPackage();
  // Checked before anything is created.
  ownName();
  const givenDir = path.resolve(options.dataDir);
  const user = await clusterUser(path.join(givenDir, "data"));
  const dataDir = await createDataDir(givenDir, user);
  const cluster = path.join(dataDir, "data");
  const binaries = await prepareBinaries(programs, path.join(dataDir, "binaries"), user);
  if (await createCluster(cluster, binaries, user)) log.info({ cluster }, "created a new PostgreSQL cluster");

  const ownerFile = path.join(dataDir, "owner.pid");
  const onWait = (pid: number): void => log.info({ pid }, "waiting for the previous PostgreSQL to end");
  await waitUntilFree({ cluster, ownerFile, onWait });
  const socket = await createSocketFolder(dataDir, user);
  const config = path.join(dataDir, "postgresql.conf");
  await writeFile(config, configText(cluster, options.settings ?? {}));
  await chmod(config, 0o644);

  const rules = await writeAccessRules(dataDir);

  const onLine = (line: string): void =>
    isProblem(line) ? log.warn({ line }, "postgres") : log.debug({ line }, "postgres");
  const supervised = await supervise({
    what: "PostgreSQL",
    log,
    maxAttempts,
    async start(signal) {
      await waitUntilFree({ cluster, onWait });
      await removeStaleLocks(cluster, socket.folder);
      const args = serverArguments(cluster, config, rules, socket.folder);
      return startPostmaster({ program: binaries.postgres, args, cluster, user, signal, onLine });
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
    await createDatabase(databaseUrl(socket.folder, "postgres"));
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

// Messages about startup, shutdown and terminated connections are excluded: each client gets one, hundreds under load.
function isProblem(line: string): boolean {
  return /^(FATAL|PANIC): /.test(line) && !/the database system is|terminating connection/.test(line);
}

function serverArguments(
  cluster: string,
  config: string,
  { hba, ident }: AccessRules,
  socketFolder: string,
): string[] {
  return [
    ["-D", cluster],
    ["-c", `config_file=${config}`],
    // On the command line, which takes precedence over all files: no setting in them can expose the server.
    ["-c", `hba_file=${hba}`],
    ["-c", `ident_file=${ident}`],
    ["-c", "listen_addresses="],
    ["-c", `unix_socket_directories="${socketFolder.replaceAll('"', '""')}"`],
    ["-c", "unix_socket_permissions=0700"],
  ].flat();
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [databaseUser]);
    if (rowCount === 0) await client.query(`create database ${databaseUser}`);
  } finally {
    await client.end();
  }
}
