// The user that runs the commands of tasks. A worker that is root uses an unprivileged one, so that tasks cannot read the
// secrets of worker and server, nor end them.
import { userInfo } from "node:os";
import { firstUnprivileged, readUsers, type UserIds } from "../../../lib/system-users.ts";

export interface TaskUser extends UserIds {
  readonly name: string;
  readonly shell: string;
  /** False if it is the worker's own user. */
  readonly separate: boolean;
}

// An administrator creates the first one, nearly every system has the second one. Not `nobody`: the embedded PostgreSQL may run
// as it, and its files and its socket must be out of reach of tasks.
export const candidates: readonly string[] = ["taskyard-task", "daemon"];

/**
 * Returns the user with the name `wanted`. Without a name, returns the worker's own user, or an unprivileged one if that is
 * root. Rejects if there is no such user, or if the worker cannot start processes as that user.
 */
export async function findTaskUser(wanted?: string): Promise<TaskUser> {
  const own = ownUser();
  if (own.uid !== 0) {
    if (wanted === undefined || wanted === own.name) return own;
    throw new Error(
      `worker.taskUser is ${wanted}, but the worker runs as ${own.name} and only root can start processes as ` +
        `another user: start the worker as root, or as ${wanted}.`,
    );
  }
  // The shells of system users refuse to run, so all tasks get /bin/sh.
  const shell = "/bin/sh";
  if (wanted === undefined) {
    const user = await firstUnprivileged(candidates);
    if (user !== undefined) return { ...user, shell, separate: true };
    throw new Error(
      `The worker is root and needs another user for its tasks, but none of ${candidates.join(", ")} exists. ` +
        `Create one (useradd --system taskyard-task), or name one in worker.taskUser.`,
    );
  }
  const ids = (await readUsers()).get(wanted);
  if (ids !== undefined) return { name: wanted, ...ids, shell, separate: ids.uid !== 0 };
  throw new Error(
    `worker.taskUser is ${wanted}, but /etc/passwd has no such user: create it, or name another one.`,
  );
}

function ownUser(): TaskUser {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  try {
    const { username, shell } = userInfo();
    return { name: username, uid, gid, shell: shell ?? "/bin/sh", separate: false };
  } catch {
    // Containers often run as a user without an entry in /etc/passwd.
    return { name: String(uid), uid, gid, shell: "/bin/sh", separate: false };
  }
}
