// Chooses the user that runs PostgreSQL. PostgreSQL refuses root, so a root process uses an existing unprivileged user.
import { stat } from "node:fs/promises";
import { firstUnprivileged, type UserIds } from "../../../lib/system-users.ts";

// `taskyard` is for administrators who want a dedicated user. `nobody` exists everywhere, but other programs may run as
// it and could access the socket, so it comes last.
export const candidates: readonly string[] = ["taskyard", "postgres", "nobody"];

/**
 * Returns undefined if this process is not root. For root, returns the owner of the cluster if it exists (PostgreSQL
 * requires that), otherwise the first existing candidate.
 */
export async function clusterUser(cluster: string): Promise<UserIds | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(cluster).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const user = await firstUnprivileged(candidates);
  if (user !== undefined) return { uid: user.uid, gid: user.gid };
  throw new Error(
    `PostgreSQL does not run as root, and none of the users ${candidates.join(", ")} exists. ` +
      `Create one (useradd --system taskyard), start Taskyard as an unprivileged user, or set DATABASE_URL.`,
  );
}

/** Returns the environment for PostgreSQL's programs. Ours may have tokens, and PG* variables that change behavior. */
export function cleanEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}
