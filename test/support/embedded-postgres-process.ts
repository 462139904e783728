// A process of its own with an embedded PostgreSQL in it, to be killed or to run as another user. Run by tests as
// `node --import tsx embedded-postgres-process.ts FOLDER`; says {url, pid} or {error} in one line, then stays.
import { startEmbeddedPostgres } from "../../src/server/core/embedded-postgres/index.ts";

const [dataDir = ""] = process.argv.slice(2);
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
try {
  const { url, pid, stop } = await startEmbeddedPostgres({ dataDir, log, settings: { fsync: false } });
  process.on("SIGTERM", () => void stop());
  say({ url, pid });
} catch (err) {
  say({ error: err instanceof Error ? err.message : String(err) });
}
