// Chooses the user that runs PostgreSQL. PostgreSQL refuses root, so a root process uses an existing unprivileged user.
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A user to start a process as, in the form of child_process's options. */
export interface SystemUser {
  uid: number;
  gid: number;
}

// `taskyard` is for administrators who want a dedicated user. `nobody` exists everywhere, but other programs may run as
// it and could access the socket, so it comes last.
export const candidates: readonly string[] = ["taskyard", "postgres", "nobody"];

/**
 * Returns undefined if this process is not root. For root, returns the owner of the cluster if it exists (PostgreSQL
 * requires that), otherwise the first existing candidate.
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
      `Create one (useradd --system taskyard), start Taskyard as an unprivileged user, or set DATABASE_URL.`,
  );
}

/** Reports whether that user can enter the folder. Tries it, which covers parent folders and access lists. */
export async function canEnter(user: SystemUser, folder: string): Promise<boolean> {
  return run("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...user, cwd: "/", env: cleanEnv() }).then(
    () => true,
    () => false,
  );
}

/** Returns the environment for PostgreSQL's programs. Ours may have tokens, and PG* variables that change behavior. */
export function cleanEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

// macOS stores its users elsewhere, but this file also has `nobody` and `_postgres`.
async function readUsers(): Promise<Map<string, SystemUser>> {
  const users = new Map<string, SystemUser>();
  for (const line of (await readFile("/etc/passwd", "utf8")).split("\n")) {
    const [name, , uid, gid] = line.split(":");
    // `nobody` is -2 on some systems, which spawn does not accept.
    if (name && uid && gid) users.set(name, { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 });
  }
  return users;
}
