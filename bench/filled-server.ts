// Starts a server on a database that was filled by SQL.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startBenchServer, type BenchServer } from "./server.ts";

export interface FilledServerOptions {
  /** Fills the database of the server with this home folder, which starts again afterwards. */
  readonly fill: (db: pg.Client, home: string) => Promise<void>;
  /** The home folder, which is kept. If it exists, it is used as it is. Default: a new one, which is removed. */
  readonly home?: string | undefined;
}

/** Starts a server, runs the function, and stops the server. */
export async function withFilledServer(
  { fill, home: given }: FilledServerOptions,
  run: (server: BenchServer) => Promise<void>,
): Promise<void> {
  const home = given ?? mkdtempSync(join(tmpdir(), "taskyard-bench-"));
  try {
    if (given === undefined || !existsSync(given)) await fillHome(home, fill);
    const server = await startBenchServer({ home });
    try {
      await run(server);
    } finally {
      await server.stop();
    }
  } finally {
    if (given === undefined) rmSync(home, { recursive: true, force: true });
  }
}

async function fillHome(home: string, fill: FilledServerOptions["fill"]): Promise<void> {
  const server = await startBenchServer({ home });
  const db = new pg.Client({ connectionString: server.databaseUrl });
  await db.connect();
  await db.query("set synchronous_commit = off");
  await fill(db, home);
  await db.end();
  await server.stop();
}
