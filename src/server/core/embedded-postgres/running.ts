// Finds the embedded PostgreSQL that another process has started.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { databaseUrl } from "./database-url.ts";
import { databaseUser } from "./create-cluster.ts";
import { findHolder } from "./lock-files.ts";

/** Returns the URL of the server that uses this data folder, or undefined if none runs. */
export async function runningPostgres(dataDir: string): Promise<string | undefined> {
  const cluster = path.join(dataDir, "data");
  if ((await findHolder(cluster)) === undefined) return undefined;
  // Its first lines are the process id, the data folder, the start time, the port, and the folder of the socket.
  const text = await readFile(path.join(cluster, "postmaster.pid"), "utf8").catch(() => "");
  const [, , , , socketFolder = ""] = text.split("\n");
  return socketFolder === "" ? undefined : databaseUrl(socketFolder, databaseUser);
}
