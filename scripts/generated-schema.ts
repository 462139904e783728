// The schema that the migrations make, dumped from a database that they were just applied to.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDb } from "../src/server/core/db.ts";
import { startEmbeddedPostgres } from "../src/server/core/embedded-postgres/index.ts";
import { dumpSchema } from "../src/server/db/dump-schema.ts";
import { migrate } from "../src/server/db/migrate.ts";
import type { GeneratedFile } from "./generated.ts";

const header =
  "-- What the migrations and functions add up to. Written by `npm run generate`: do not edit.\n\n";

export async function schemaFile(): Promise<GeneratedFile[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "taskyard-generate-"));
  try {
    // PostgreSQL may run as another user, who must be able to get in.
    await chmod(folder, 0o755);
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: console.error,
    };
    const server = await startEmbeddedPostgres({
      dataDir: path.join(folder, "postgres"),
      log,
      settings: { fsync: false },
    });
    try {
      await migrate({ url: server.url });
      const db = openDb({ url: server.url, checkRows: true });
      const text = await dumpSchema(db);
      await db.close();
      return [{ path: "src/server/db/schema.sql", text: header + text }];
    } finally {
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
