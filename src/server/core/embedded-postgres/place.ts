// Where a cluster and all that belongs to it lie, and how they come to be.
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
  rmdir,
  stat,
  symlink,
} from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Binaries } from "./binaries.ts";
import { canEnter, cleanEnv, type SystemUser } from "./system-user.ts";

const run = promisify(execFile);

/** Name of the superuser and of the database; who may reach the socket may be it, see `pg_hba.conf`. */
export const databaseUser = "taskyard";

/** The longest path of a Unix socket is 104 bytes on macOS and 108 on Linux, its end included. */
const socketPathLimit = 103;

// For the clusters of homes that PostgreSQL's user cannot reach.
const reachableFolder = "/var/lib/taskyard";

/**
 * Makes the folder of the cluster and answers its real path. Where PostgreSQL runs as another user that cannot
 * enter it (a home below /root), the cluster gets a folder below /var/lib/taskyard, and `folder` becomes a
 * symbolic link there: the link alone says where the data is.
 */
export async function makePlace(
  folder: string,
  user: SystemUser | undefined,
  elsewhere = reachableFolder,
): Promise<string> {
  // Decided once, before there is data; a link that leads nowhere counts as decided too.
  const decided = (await isLink(folder)) || (await exists(path.join(folder, "data")));
  if (!decided) {
    await mkdir(path.dirname(folder), { recursive: true });
    await mkdir(folder).catch(unless("EEXIST"));
    // Set, not asked for: the umask may take away what PostgreSQL's user needs.
    await chmod(folder, user === undefined ? 0o700 : 0o755);
    if (user !== undefined && !(await canEnter(user, folder))) {
      await openHome(path.dirname(folder), user);
      if (!(await canEnter(user, folder))) await linkElsewhere(folder, elsewhere);
    }
  }
  const place = await realpath(folder).catch((err: unknown) => {
    // Never start afresh here: that would look like the loss of everything, and might be undone by a mount.
    throw new Error(
      `${folder} is a link to a folder that is gone. Restore it, or remove the link to start empty.`,
      { cause: err },
    );
  });
  if (user !== undefined && !(await canEnter(user, place))) {
    throw new Error(
      `The user that runs PostgreSQL (uid ${user.uid}, since it refuses root) cannot enter ${place}. ` +
        `Make that folder and those above it accessible (chmod a+x), or start Taskyard as their owner.`,
    );
  }
  return place;
}

// A home that was made private keeps PostgreSQL's user out of what is its own. Where nothing else is in the way,
// others get the right to pass through it, but not to look around; what lies in it is private by itself.
async function openHome(home: string, user: SystemUser): Promise<void> {
  if (home === homedir() || !(await canEnter(user, path.dirname(home)))) return;
  await chmod(home, (await stat(home)).mode | 0o011);
}

async function linkElsewhere(folder: string, elsewhere: string): Promise<void> {
  await rmdir(folder);
  if ((await mkdir(elsewhere, { recursive: true })) !== undefined) await chmod(elsewhere, 0o755);
  // A random name, not one made from the folder's: after `rm -r` of a home, a new one must not find the old data.
  const target = await mkdtemp(path.join(elsewhere, "postgres-"));
  await chmod(target, 0o755);
  await symlink(target, folder);
}

/** Makes the cluster if there is none; refuses one of another major version. */
export async function makeCluster(
  cluster: string,
  binaries: Binaries,
  user: SystemUser | undefined,
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
      `${cluster} is of PostgreSQL ${version.trim()}, and this Taskyard brings ${binaries.major}. Dump it with the ` +
        `version of Taskyard that made it, move the folder away, start again and restore the dump.`,
    );
  }
  if (await exists(cluster)) {
    throw new Error(`${cluster} is not a PostgreSQL data folder (it has no PG_VERSION). Move it away.`);
  }
  // Beside it first, then renamed: a first start that is killed half-way leaves no half cluster.
  const temporary = await mkdtemp(`${cluster}.`);
  try {
    if (user !== undefined) await chown(temporary, user.uid, user.gid);
    await run(binaries.initdb, initdbOptions(temporary), { ...user, cwd: "/", env: cleanEnv() });
    await rename(temporary, cluster);
  } catch (err) {
    await rm(temporary, { recursive: true, force: true });
    // Two first starts at once: the other one was faster, and only one of them will get the cluster's lock.
    if (err instanceof Error && "code" in err && (err.code === "ENOTEMPTY" || err.code === "EEXIST"))
      return false;
    throw new Error(`PostgreSQL's initdb failed: ${failureText(err)}`, { cause: err });
  }
  await removeHalfClusters(cluster);
  return true;
}

/** Removes what first starts that were killed have left. */
async function removeHalfClusters(cluster: string): Promise<void> {
  const place = path.dirname(cluster);
  for (const name of await readdir(place)) {
    if (!name.startsWith(`${path.basename(cluster)}.`)) continue;
    // The initdb of the one that was killed may be at work still; then it stays until somebody sees it.
    await rm(path.join(place, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

// C.UTF-8 of PostgreSQL's own provider: the same order of strings on every machine, and no library of the
// system whose upgrade could break indexes. `reject`: there is no TCP, and should somebody switch it on, then
// without a password nobody gets in.
function initdbOptions(folder: string): string[] {
  return [
    ["--pgdata", folder],
    ["--username", databaseUser],
    ["--encoding", "UTF8"],
    ["--locale-provider", "builtin"],
    ["--builtin-locale", "C.UTF-8"],
    ["--locale", "C"],
    ["--auth-local", "trust"],
    ["--auth-host", "reject"],
  ].flat();
}

/**
 * Makes the folder of the Unix socket, private to the cluster's user: whoever can enter it is superuser of the
 * database. In the place if the path is short enough for a socket, else in a new temporary folder, which
 * `temporary` says is to be removed afterwards.
 */
export async function makeSocketFolder(
  place: string,
  user: SystemUser | undefined,
): Promise<{ folder: string; temporary: boolean }> {
  const own = path.join(place, "run");
  const fits = Buffer.byteLength(path.join(own, ".s.PGSQL.5432")) <= socketPathLimit;
  // Not TMPDIR, which may be as long, or out of the other user's reach.
  const folder = fits ? own : await mkdtemp("/tmp/taskyard-");
  if (fits) await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  return { folder, temporary: !fits };
}

function isLink(file: string): Promise<boolean> {
  return lstat(file).then(
    (there) => there.isSymbolicLink(),
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

function failureText(err: unknown): string {
  if (err instanceof Error && "stderr" in err && typeof err.stderr === "string" && err.stderr !== "") {
    return err.stderr.trim();
  }
  return err instanceof Error ? err.message : String(err);
}
