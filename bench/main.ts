// `npm run bench`: starts a server, puts load on it from this process, and prints the table of figures.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { loadClient, type LoadClient } from "./client.ts";
import { compare, type Build } from "./compare.ts";
import { usageOf } from "./cpu.ts";
import { databaseLimit } from "./database-limit.ts";
import { filled } from "./filled.ts";
import type { Bench } from "./queue-calls.ts";
import type { Row } from "./row.ts";
import { scenarios, warmUp } from "./scenarios.ts";
import { startBenchServer, type BenchServer, type BenchServerOptions } from "./server.ts";
import { soak } from "./soak.ts";
import { head, lines } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    scale: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    // Where the server's home folder is created; a filled database needs 30 GB.
    dir: { type: "string" },
    // The following options replace the table. Compares with the build in another tree:
    compare: { type: "string" },
    // … which runs on another version of Node.
    "compare-node": { type: "string" },
    // Runs load for this many minutes:
    soak: { type: "string" },
    // … while a second connection holds an old snapshot open.
    "old-snapshot": { type: "boolean", default: false },
    // Measures creating and claiming on an empty database and on one with this many million resolved tasks and a
    // tenth as many pending ones.
    filled: { type: "string" },
    // Runs the same statements with pgbench.
    limit: { type: "boolean", default: false },
  },
});

const rounds = Number(options.rounds);
const servers: BenchServer[] = [];
const clients: LoadClient[] = [];
try {
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${rounds} rounds\n`);
  const { server, bench, build } = await start({ dir: options.dir });
  const { databaseUrl } = server;
  if (options.compare !== undefined) {
    const other = { tree: options.compare, node: options["compare-node"], dir: options.dir };
    await compare({ before: (await start(other)).build, after: build }, rounds);
  } else if (options.soak !== undefined) {
    const snapshotOf = options["old-snapshot"] ? databaseUrl : undefined;
    await soak(bench, { minutes: Number(options.soak), snapshotOf });
  } else if (options.filled !== undefined) {
    await filled(bench, { databaseUrl, millions: Number(options.filled), rounds });
  } else if (options.limit) await databaseLimit(bench, { databaseUrl, rounds });
  else await table(server, bench);
} finally {
  for (const client of clients) await client.close();
  for (const server of servers) await server.stop();
}

async function start(
  serverOptions: BenchServerOptions,
): Promise<{ server: BenchServer; bench: Bench; build: Build }> {
  const server = await startBenchServer(serverOptions);
  servers.push(server);
  const client = loadClient(server.rootUrl, server.credentials, 96);
  clients.push(client);
  const bench = { client, serverPid: server.pid, scale: Number(options.scale) };
  return { server, bench, build: { bench, start: () => startBenchServer(serverOptions) } };
}

/** Prints the results of all rounds; the median is the one that counts. */
async function table(server: BenchServer, bench: Bench): Promise<void> {
  await warmUp(bench);
  const measured: Row[][] = [];
  for (let round = 0; round < rounds; round++) {
    const rows: Row[] = [];
    for (const scenario of scenarios) rows.push(...(await scenario(bench, round)));
    measured.push(rows);
  }
  console.log([head, ...lines(measured)].join("\n"));
  const memory = Math.round(usageOf(server.pid).nodeMemory);
  console.log(`| memory of the Node process after the runs | ≤ 300 MiB | ${memory} MiB | – |`);
  console.log(
    `| first start (empty home) to the root URL | ≤ 5 s | ${(server.readyMs / 1000).toFixed(1)} s | – |`,
  );
}
