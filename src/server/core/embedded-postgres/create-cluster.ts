// Creates the folders of a cluster and the cluster itself.
import { execFile } from "node:child_process";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Binaries } from "./binaries.ts";
import { accessibleFolder, linkElsewhere } from "../../../lib/accessible-folder.ts";
import { canEnter, type UserIds } from "../../../lib/system-users.ts";
import { cleanEnv } from "./system-user.ts";
import { makeFolder } from "../../../lib/make-folder.ts";

const run = promisify(execFile);

/** Name of the superuser and of the database. Only this process's user may use it, see `access-rules.ts`. */
export const databaseUser = "taskyard";

/** The path of a Unix socket has at most 104 bytes on macOS and 108 on Linux, including the terminator. */
const socketPathLimit = 103;

/**
 * Creates the folder of the cluster and returns its real path. If PostgreSQL runs as another user that cannot enter it
 * (a home below /root), the cluster gets a folder below /var/lib/taskyard, and `folder` becomes a symbolic link to it.
 * The link is the only record of where the data is.
 */
export async function createDataDir(
  folder: string,
  user: UserIds | undefined,
  elsewhere = accessibleFolder,
): Promise<string> {
  // The location is chosen once, before there is data. A dangling link is also a choice.
  const chosen = (await isLink(folder)) || (await exists(path.join(folder, "data")));
  if (!chosen) {
    await makeFolder(path.dirname(folder));
    await mkdir(folder).catch(unless("EEXIST"));
    // Not an option of mkdir, since the umask may remove permissions that PostgreSQL's user needs.
    await chmod(folder, user === undefined ? 0o700 : 0o755);
    if (user !== undefined && !(await canEnter(user, folder))) {
      await allowEntry(path.dirname(folder), user);
      if (!(await canEnter(user, folder)))
        await linkElsewhere(folder, { parent: elsewhere, prefix: "postgres-", mode: 0o755 });
    }
  }
  const dataDir = await realpath(folder).catch((err: unknown) => {
    // Never start with an empty folder: that would look like data loss, and mounting a disk may restore the target.
    throw new Error(
      `${folder} is a link to a folder that does not exist. Restore the folder, or remove the link to start with no data.`,
      { cause: err },
    );
  });
  if (user !== undefined && !(await canEnter(user, dataDir))) {
    throw new Error(
      `The user that runs PostgreSQL (uid ${user.uid}, since it refuses root) cannot enter ${dataDir}. ` +
        `Make that folder and its parents accessible (chmod a+x), or start Taskyard as their owner.`,
    );
  }
  return dataDir;
}

// A private home prevents PostgreSQL's user from accessing its own folder. If the home is the only obstacle, others get
// the permission to enter it, but not to list it. The files in it have restrictive modes of their own.
async function allowEntry(home: string, user: UserIds): Promise<void> {
  if (home === homedir() || !(await canEnter(user, path.dirname(home)))) return;
  await chmod(home, (await stat(home)).mode | 0o011);
}

/** Creates the cluster if it does not exist. Returns whether it did so. Refuses a cluster of another major version. */
export async function createCluster(
  cluster: string,
  binaries: Binaries,
  user: UserIds | undefined,
): Promise<boolean> {
  const version = await readFile(path.join(cluster, "PG_VERSION"), "utf8").catch(
    (err: NodeJS.ErrnoException) => {
      if (err.code === "EACCES")
        throw new Error(`${cluster} belongs to another user: start Taskyard as its owner.`);
      return undefined;
    },
  );
  if (version !== undefined) {
    if (Number(version) === binaries.major) return false;
    throw new Error(
      `${cluster} was created by PostgreSQL ${version.trim()}, but this Taskyard includes PostgreSQL ` +
        `${binaries.major}. Dump it with the version of Taskyard that created it, move the folder to another ` +
        `location, start again and restore the dump.`,
    );
  }
  if (await exists(cluster)) {
    throw new Error(
      `${cluster} is not a PostgreSQL data folder (it has no PG_VERSION). Move it to another location.`,
    );
  }
  // Created in a temporary folder and renamed: a first start that is killed leaves no incomplete cluster.
  const temporary = await mkdtemp(`${cluster}.`);
  try {
    if (user !== undefined) await chown(temporary, user.uid, user.gid);
    await run(binaries.initdb, initdbOptions(temporary), { ...user, cwd: "/", env: cleanEnv() });
    await rename(temporary, cluster);
  } catch (err) {
    await rm(temporary, { recursive: true, force: true });
    // A concurrent first start was faster. Only one of them will get the cluster's lock.
    if (err instanceof Error && "code" in err && (err.code === "ENOTEMPTY" || err.code === "EEXIST"))
      return false;
    const diskFault = diskFaultOf(err);
    if (diskFault !== undefined)
      throw new Error(
        `PostgreSQL's database cannot be created in ${path.dirname(cluster)}: ${diskFault}. Free some space there, or set ` +
          "TASKYARD_HOME to a folder on another disk.",
        { cause: err },
      );
    throw new Error(
      `PostgreSQL's initdb failed: ${describeFailure(err)}. Correct the cause and start again, or set DATABASE_URL to use another PostgreSQL.`,
      { cause: err },
    );
  }
  await removeIncompleteClusters(cluster);
  return true;
}

/** Removes the folders of first starts that were killed. */
async function removeIncompleteClusters(cluster: string): Promise<void> {
  const dataDir = path.dirname(cluster);
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(`${path.basename(cluster)}.`)) continue;
    // Best effort: the initdb of a killed start may still be running.
    await rm(path.join(dataDir, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

// C.UTF-8 of the built-in provider sorts strings the same way on all machines, and does not depend on a system library
// whose upgrade could corrupt indexes. Access is decided by files of our own, see `access-rules.ts`; these rules apply if
// the cluster is started without them.
function initdbOptions(folder: string): string[] {
  return [
    ["--pgdata", folder],
    ["--username", databaseUser],
    ["--encoding", "UTF8"],
    ["--locale-provider", "builtin"],
    ["--builtin-locale", "C.UTF-8"],
    ["--locale", "C"],
    ["--auth-local", "peer"],
    ["--auth-host", "reject"],
  ].flat();
}

/**
 * Creates the folder of the Unix socket. It is accessible only to the cluster's user. It is in the data directory if the
 * path is short enough for a socket. Otherwise it is a temporary folder that the caller must remove (`temporary`).
 */
export async function createSocketFolder(
  dataDir: string,
  user: UserIds | undefined,
): Promise<{ folder: string; temporary: boolean }> {
  const preferred = path.join(dataDir, "run");
  const fits = Buffer.byteLength(path.join(preferred, ".s.PGSQL.5432")) <= socketPathLimit;
  // Not TMPDIR, which may also be too long, or inaccessible to the other user.
  const folder = fits ? preferred : await mkdtemp("/tmp/taskyard-");
  if (fits) await makeFolder(folder, 0o700);
  await chmod(folder, 0o700);
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  return { folder, temporary: !fits };
}

function isLink(file: string): Promise<boolean> {
  return lstat(file).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}

function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

function unless(code: string): (err: NodeJS.ErrnoException) => void {
  return (err) => {
    if (err.code !== code) throw err;
  };
}

/** Returns what is wrong with the disk if that is why a program failed. It reports dozens of lines then. */
function diskFaultOf(err: unknown): string | undefined {
  const text = describeFailure(err);
  if (/ENOSPC|No space left on device/.test(text)) return "the disk is full";
  return /EDQUOT|Disk quota exceeded/.test(text) ? "the disk quota is used up" : undefined;
}

function describeFailure(err: unknown): string {
  if (err instanceof Error && "stderr" in err && typeof err.stderr === "string" && err.stderr !== "") {
    return err.stderr.trim();
  }
  return err instanceof Error ? err.message : String(err);
}
