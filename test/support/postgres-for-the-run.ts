// One PostgreSQL for a whole test run, with a migrated template database that each test file clones.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../src/server/core/embedded-postgres/index.ts";
import { migrate } from "../../src/server/db/migrate.ts";
import { createDatabase, databaseUrl, dropDatabase } from "./databases.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the tests' databases are made. */
    postgresUrl: string;
    /** Name of the migrated database that is cloned. */
    templateDatabase: string;
  }
}

/**
 * Starts an embedded PostgreSQL in a temporary folder, or takes the server of TEST_DATABASE_URL (a superuser's or
 * a user's that may create databases). The server ends with this process, however that ends.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env["TEST_DATABASE_URL"];
  const server = given === undefined ? await startTemporary() : { url: given, stop: async () => {} };
  const template = `taskyard_template_${process.pid}`;
  await createDatabase(server.url, template);
  await migrate({ url: databaseUrl(server.url, template) });
  project.provide("postgresUrl", server.url);
  project.provide("templateDatabase", template);
  return async () => {
    if (given !== undefined) await dropDatabase(given, template);
    await server.stop();
  };
}

async function startTemporary(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), "taskyard-test-"));
  // Where we are root, PostgreSQL runs as another user, who must be able to get in.
  await chmod(folder, 0o755);
  const silent = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: console.error,
  };
  const server = await startEmbeddedPostgres({
    dataDir: path.join(folder, "postgres"),
    log: silent,
    // Nothing here outlives the run, so nothing needs to reach the disk.
    settings: { fsync: false, synchronous_commit: false, full_page_writes: false, max_connections: 300 },
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
