// A separate process with an embedded PostgreSQL, which tests kill or run as another user. They start it as
// `node --import tsx embedded-postgres-process.ts FOLDER`. It prints {url, pid} or {error} in one line.
import { startEmbeddedPostgres } from "../../src/server/core/embedded-postgres/index.ts";

const [dataDir = ""] = process.argv.slice(2);
const print = (result: object): void => void process.stdout.write(`${JSON.stringify(result)}\n`);
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
try {
  const { url, pid, stop } = await startEmbeddedPostgres({ dataDir, log, settings: { fsync: false } });
  process.on("SIGTERM", () => void stop());
  print({ url, pid });
} catch (err) {
  print({ error: err instanceof Error ? err.message : String(err) });
}
