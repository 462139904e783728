// `npm run bench`: starts a server of its own, loads it from this process, prints the table of figures.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadClient } from "./client.ts";
import { usageOf } from "./cpu.ts";
import * as scenarios from "./scenarios.ts";

const { values: options } = parseArgs({
  options: {
    scale: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    // Instead of the table: load for so many minutes, and memory each half minute.
    soak: { type: "string" },
  },
});

const home = mkdtempSync(join(tmpdir(), "taskyard-bench-"));
const bin = new URL("../bin/taskyard.js", import.meta.url).pathname;
const begun = performance.now();
const server = spawn(process.execPath, [bin, "up", "--no-worker", "--port", "0", "--home", home], {
  stdio: ["ignore", "pipe", "inherit"],
  env: { PATH: process.env["PATH"], TASKYARD_LOG_LEVEL: "warn" },
});
await new Promise<void>((resolve, reject) => {
  server.stdout.once("data", () => resolve());
  server.once("exit", (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
});
const readyMs = performance.now() - begun;
const serverPid = server.pid ?? 0;

try {
  const read = (file: string) => JSON.parse(readFileSync(join(home, file), "utf8")) as Record<string, string>;
  const { rootUrl = "", clientId = "", accessToken = "" } = read("server.json");
  const credentials = { clientId, accessToken };
  const client = loadClient(rootUrl, credentials, 96);
  const bench = { client, serverPid, scale: Number(options.scale) };
  if (options.soak === undefined) await table(bench);
  else await soak(bench, Number(options.soak));
  await client.close();
} finally {
  server.kill("SIGTERM");
  await once(server, "exit");
  rmSync(home, { recursive: true, force: true });
}

/** Some rounds of every row, of which the median by rate or latency is what counts; all are printed. */
async function table(bench: scenarios.Bench): Promise<void> {
  const rounds = Number(options.rounds);
  // What runs for days is compiled: one round of everything, unmeasured, before the first that counts.
  await scenarios.fullCycles(bench);
  await scenarios.statusReads(bench);
  const rows: scenarios.Row[][] = [];
  for (let round = 0; round < rounds; round++) {
    const queue = `bench/claims${round}`;
    rows.push([
      await scenarios.createAtOnce(bench, queue),
      ...(await scenarios.claimAndComplete(bench, queue)),
      await scenarios.createOneByOne(bench),
      await scenarios.statusReads(bench),
      await scenarios.fullCycles(bench),
      await scenarios.createToWaitingWorker(bench),
      await scenarios.dependencyToPending(bench),
      await scenarios.fanOut(bench),
    ]);
  }
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${rounds} rounds\n`);
  console.log("| measure | goal | results, a round each | CPU per call: Node + PostgreSQL (load) |");
  console.log("|---|---|---|---|");
  for (const [i, row] of (rows[0] ?? []).entries()) {
    const all = rows.map((round) => round[i]?.result).join("; ");
    const used = rows.map((round) => round[i]?.cpu).filter((c) => c !== undefined);
    const per = (key: "node" | "postgres" | "load"): number =>
      Math.round(median(used.map((c) => (c[key] / c.calls) * 1e6)));
    const cost = used.length > 0 ? `${per("node")} + ${per("postgres")} µs (${per("load")})` : "–";
    console.log(`| ${row.measure} | ${row.goal} | ${all} | ${cost} |`);
  }
  const memory = Math.round(usageOf(serverPid).nodeMemory);
  console.log(`| memory of the Node process after the runs | ≤ 300 MiB | ${memory} MiB | – |`);
  console.log(`| first start (empty home) to the root URL | ≤ 5 s | ${(readyMs / 1000).toFixed(1)} s | – |`);
}

async function soak(bench: scenarios.Bench, minutes: number): Promise<void> {
  const end = Date.now() + minutes * 60_000;
  let next = 0;
  while (Date.now() < end) {
    const { result } = await scenarios.fullCycles(bench);
    if (Date.now() < next) continue;
    next = Date.now() + 30_000;
    const left = Math.max(0, Math.round((end - Date.now()) / 1000));
    console.log(`${Math.round(usageOf(serverPid).nodeMemory)} MiB, ${result}, ${left} s to go`);
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
