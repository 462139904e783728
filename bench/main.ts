// `npm run bench`: starts a server of its own, loads it from this process, prints the table of figures.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { loadClient } from "./client.ts";
import { usageOf } from "./cpu.ts";
import { filled } from "./filled.ts";
import { physicalLimit } from "./physical-limit.ts";
import * as scenarios from "./scenarios.ts";
import { startBenchServer } from "./server.ts";
import { soak } from "./soak.ts";
import { head, lines } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    scale: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    // Where the server's folder is made; a filled database wants 30 GB.
    dir: { type: "string" },
    // Instead of the table, one of these. Load for so many minutes:
    soak: { type: "string" },
    // … while a second connection holds an old snapshot open.
    "old-snapshot": { type: "boolean", default: false },
    // The rows for creating and claiming, on an empty database and on one with so many tasks (in millions, with a
    // tenth of them pending).
    filled: { type: "string" },
    // The same statements by pgbench.
    limit: { type: "boolean", default: false },
  },
});

const server = await startBenchServer(options.dir);
try {
  const client = loadClient(server.rootUrl, server.credentials, 96);
  const bench = { client, serverPid: server.pid, scale: Number(options.scale) };
  const rounds = Number(options.rounds);
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${rounds} rounds\n`);
  if (options.soak !== undefined) {
    const snapshotOf = options["old-snapshot"] ? server.databaseUrl : undefined;
    await soak(bench, { minutes: Number(options.soak), snapshotOf });
  } else if (options.filled !== undefined) {
    await filled(bench, { databaseUrl: server.databaseUrl, millions: Number(options.filled), rounds });
  } else if (options.limit) await physicalLimit(bench, { databaseUrl: server.databaseUrl, rounds });
  else await table(bench, rounds);
  await client.close();
} finally {
  await server.stop();
}

/** Some rounds of every row, of which the median by rate or latency is what counts; all are printed. */
async function table(bench: scenarios.Bench, count: number): Promise<void> {
  await scenarios.warmUp(bench);
  const rounds: scenarios.Row[][] = [];
  for (let round = 0; round < count; round++) {
    const queue = `bench/claims${round}`;
    rounds.push([
      await scenarios.createAtOnce(bench, queue),
      ...(await scenarios.claimAndComplete(bench, queue)),
      await scenarios.createOneByOne(bench),
      await scenarios.statusReads(bench),
      await scenarios.fullCycles(bench),
      await scenarios.createToWaitingWorker(bench),
      await scenarios.dependencyToPending(bench),
      await scenarios.fanOut(bench),
      await scenarios.largeFanOut(bench),
    ]);
  }
  console.log([head, ...lines(rounds)].join("\n"));
  const memory = Math.round(usageOf(server.pid).nodeMemory);
  console.log(`| memory of the Node process after the runs | ≤ 300 MiB | ${memory} MiB | – |`);
  console.log(
    `| first start (empty home) to the root URL | ≤ 5 s | ${(server.readyMs / 1000).toFixed(1)} s | – |`,
  );
}
