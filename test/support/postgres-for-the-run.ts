// One PostgreSQL for a whole test run, with a migrated template database that each test file clones, and a cluster that
// tests of `taskyard up` copy instead of creating one.
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from "../../src/server/core/embedded-postgres/index.ts";
import { databaseUser } from "../../src/server/core/embedded-postgres/create-cluster.ts";
import { migrate } from "../../src/server/db/migrate.ts";
import { copyFolder } from "./copy-folder.ts";
import { createDatabase, databaseUrl, dropDatabases } from "./databases.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Server of the tests' databases. */
    postgresUrl: string;
    /** Name of the migrated database that tests clone. The names of the clones begin with it. */
    templateDatabase: string;
    /** Data folder of a migrated cluster that no server uses. Undefined with TEST_DATABASE_URL. */
    preparedCluster: string | undefined;
  }
}

/**
 * Starts an embedded PostgreSQL in the folder of the run, or uses the server of TEST_DATABASE_URL, whose user has to be
 * allowed to create databases. The embedded server ends with this process, even if it is killed.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env["TEST_DATABASE_URL"];
  const template = `taskyard_template_${process.pid}`;
  const cleanups: (() => Promise<void>)[] = [];
  const teardown = async (): Promise<void> => {
    for (const cleanUp of cleanups.toReversed()) await cleanUp();
  };
  try {
    let url = given;
    if (url === undefined) {
      const { server, cluster } = await startTemporary(tmpdir());
      cleanups.push(() => server.stop());
      ({ url } = server);
      project.provide("preparedCluster", cluster);
      await createDatabase(url, template, databaseUser);
    } else {
      cleanups.push(() => dropDatabases(given ?? "", template));
      await createDatabase(url, template);
      await migrate({ url: databaseUrl(url, template) });
    }
    project.provide("postgresUrl", url);
  } catch (err) {
    await teardown();
    throw err;
  }
  project.provide("templateDatabase", template);
  return teardown;
}

/** Creates a migrated cluster, copies it, and starts a server on the original. */
async function startTemporary(folder: string): Promise<{ server: EmbeddedPostgres; cluster: string }> {
  const dataDir = path.join(folder, "postgres");
  const cluster = path.join(folder, "cluster");
  // Copied while no server runs, since a copy of a running cluster would require recovery.
  const first = await start(dataDir);
  await migrate({ url: first.url }).finally(() => first.stop());
  await copyFolder(path.join(dataDir, "data"), cluster);
  return { server: await start(dataDir), cluster };
}

function start(dataDir: string): Promise<EmbeddedPostgres> {
  const quiet = (): void => undefined;
  const report = (fields: object, message: string): void =>
    void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  return startEmbeddedPostgres({
    dataDir,
    log: { debug: quiet, info: quiet, warn: quiet, error: report },
    settings: {
      max_connections: 300,
      // Nothing here outlives the run, so nothing needs to reach the disk.
      fsync: false,
      synchronous_commit: false,
      full_page_writes: false,
      // As little memory as possible: a page that a virtual machine has not used before costs up to 0.1 ms, and the log
      // would grow to a gigabyte.
      shared_buffers: "64MB",
      wal_level: "minimal",
      max_wal_senders: 0,
      min_wal_size: "32MB",
      max_wal_size: "64MB",
    },
  });
}
