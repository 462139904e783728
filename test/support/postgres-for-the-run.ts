// One PostgreSQL for a whole test run, with a migrated template database that each test file clones.
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../src/server/core/embedded-postgres/index.ts";
import { isAlive } from "../../src/server/core/embedded-postgres/lock-files.ts";
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
  const teardown = async (): Promise<void> => {
    if (given !== undefined) await dropDatabase(given, template);
    await server.stop();
  };
  try {
    await createDatabase(server.url, template);
    await migrate({ url: databaseUrl(server.url, template) });
  } catch (err) {
    await teardown();
    throw err;
  }
  project.provide("postgresUrl", server.url);
  project.provide("templateDatabase", template);
  return teardown;
}

const prefix = "taskyard-run-";

async function startTemporary(): Promise<{ url: string; stop(): Promise<void> }> {
  await removeAbandoned();
  const folder = await mkdtemp(path.join(tmpdir(), `${prefix}${process.pid}-`));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 10 });
  // Where we are root, PostgreSQL runs as another user, who must be able to get in.
  await chmod(folder, 0o755);
  const quiet = (): void => undefined;
  const report = (fields: object, message: string): void =>
    void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  const server = await startEmbeddedPostgres({
    dataDir: path.join(folder, "postgres"),
    log: { debug: quiet, info: quiet, warn: quiet, error: report },
    // Nothing here outlives the run, so nothing needs to reach the disk.
    settings: { fsync: false, synchronous_commit: false, full_page_writes: false, max_connections: 300 },
  }).catch(async (err: unknown) => {
    await remove();
    throw err;
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await remove();
    },
  };
}

/** A run that was killed has taken its server along, but not its folder. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : 0;
    if (pid === 0 || isAlive(pid)) continue;
    await rm(path.join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
