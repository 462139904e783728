// A copy of the run's prepared cluster, for servers with an embedded PostgreSQL: `initdb` and all migrations take 1.6 s
// of CPU, the copy a tenth.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { copyFolder } from "./copy-folder.ts";

/** Fills the folder of a server that was never started with a migrated cluster; without one the server makes its own. */
export async function prepareCluster(dataDir: string): Promise<void> {
  const prepared = inject("preparedCluster");
  if (prepared === undefined) return;
  await mkdir(dataDir, { recursive: true });
  await copyFolder(prepared, join(dataDir, "data"));
}
