// Who may connect to the embedded server: this process's user only. PostgreSQL asks the kernel who opened the socket.
import { chmod, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import { databaseUser } from "./create-cluster.ts";

export interface AccessRules {
  /** The paths of the files, for the server's arguments. */
  readonly hba: string;
  readonly ident: string;
}

/**
 * Writes the rules, which replace those in the cluster: clusters of earlier versions have `trust` there. They are written at
 * every start, since another user may have started the server before.
 */
export async function writeAccessRules(dataDir: string): Promise<AccessRules> {
  const files = { hba: path.join(dataDir, "pg_hba.conf"), ident: path.join(dataDir, "pg_ident.conf") };
  const note = "# Written by Taskyard at every start.";
  await writeFile(files.hba, `${note}\nlocal all all peer map=taskyard\n`);
  await writeFile(files.ident, `${note}\ntaskyard ${quoted(ownName())} ${databaseUser}\n`);
  // PostgreSQL may run as another user.
  for (const file of Object.values(files)) await chmod(file, 0o644);
  return files;
}

/** Returns the name of this process's user. Throws if the user has none, as in containers with an arbitrary uid. */
export function ownName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    const uid = process.getuid?.();
    throw new Error(
      `the user with the id ${uid} has no name on this machine, which the embedded PostgreSQL requires: add a line for it to ` +
        `/etc/passwd (taskyard:x:${uid}:${process.getgid?.()}::/tmp:/bin/sh), start Taskyard as a user that has one, or set DATABASE_URL to use another PostgreSQL`,
      { cause: error },
    );
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
