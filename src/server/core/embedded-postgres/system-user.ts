// As whom PostgreSQL runs. It refuses root, so where we are root it gets an unprivileged user that exists already.
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A user to start a process as: the shape that child_process takes. */
export interface SystemUser {
  uid: number;
  gid: number;
}

// `taskyard` is for administrators who want a user of its own. `nobody` is everywhere, but may have other
// programs, and these could reach the socket: so it comes last.
const candidates = ["taskyard", "postgres", "nobody"];

/**
 * Undefined where we are not root and run it ourselves. As root: the owner of the cluster if there is one
 * (PostgreSQL insists on it), else the first of the candidates.
 */
export async function clusterUser(cluster: string): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(cluster).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const users = await readUsers();
  for (const name of candidates) {
    const user = users.get(name);
    if (user !== undefined && user.uid !== 0) return user;
  }
  throw new Error(
    `PostgreSQL does not run as root, and none of the users ${candidates.join(", ")} exists. ` +
      `Create one (useradd --system taskyard), start Taskyard as an ordinary user, or set DATABASE_URL.`,
  );
}

/** Whether that user can enter the folder: parents, access lists and all, which is why it is tried. */
export async function canEnter(user: SystemUser, folder: string): Promise<boolean> {
  return run("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...user, cwd: "/", env: cleanEnv() }).then(
    () => true,
    () => false,
  );
}

/** The environment of every program of PostgreSQL: ours may hold tokens, and PG* variables that change its ways. */
export function cleanEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

// macOS keeps its users elsewhere, but lists `nobody` and `_postgres` in this file too.
async function readUsers(): Promise<Map<string, SystemUser>> {
  const users = new Map<string, SystemUser>();
  for (const line of (await readFile("/etc/passwd", "utf8")).split("\n")) {
    const [name, , uid, gid] = line.split(":");
    // `nobody` is -2 on some systems, which spawn does not take as it is.
    if (name && uid && gid) users.set(name, { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 });
  }
  return users;
}
