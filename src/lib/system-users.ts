// The users of this machine, for processes of root that start others with fewer rights.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** The ids of a user, in the form of child_process's options. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

const run = promisify(execFile);

/** Returns the first of these users that exists and is not root. */
export async function firstUnprivileged(
  names: readonly string[],
): Promise<(UserIds & { readonly name: string }) | undefined> {
  const users = await readUsers();
  for (const name of names) {
    const ids = users.get(name);
    if (ids !== undefined && ids.uid !== 0) return { name, ...ids };
  }
  return undefined;
}

/** Returns the users in /etc/passwd by name. macOS stores its users elsewhere, but its file also has the system users. */
export async function readUsers(): Promise<ReadonlyMap<string, UserIds>> {
  const users = new Map<string, UserIds>();
  for (const line of (await readFile("/etc/passwd", "utf8")).split("\n")) {
    const [name, , uid, gid] = line.split(":");
    // `nobody` is -2 on some systems, which spawn does not accept.
    if (name && uid && gid) users.set(name, { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 });
  }
  return users;
}

/** Reports whether a user can enter a folder. Tries it, which covers parent folders and access lists. */
export async function canEnter({ uid, gid }: UserIds, folder: string): Promise<boolean> {
  return run("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { uid, gid, cwd: "/", env: {} }).then(
    () => true,
    () => false,
  );
}
