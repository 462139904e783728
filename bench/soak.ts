// Load for minutes, to check that memory and cost stay constant, even while PostgreSQL cannot remove dead rows.
import pg from "pg";
import { usageOf } from "./cpu.ts";
import type { Bench } from "./queue-calls.ts";
import { warmUp } from "./scenarios.ts";
import { cpuText } from "./table.ts";
import { fullCycles } from "./throughput.ts";

/**
 * Runs full cycles and prints a line every half minute. If `snapshotOf` is the URL of the database, a transaction keeps
 * the snapshot of the beginning open all the time.
 */
export async function soak(
  bench: Bench,
  { minutes, snapshotOf }: { readonly minutes: number; readonly snapshotOf: string | undefined },
): Promise<void> {
  await warmUp(bench);
  const other = snapshotOf === undefined ? undefined : new pg.Client({ connectionString: snapshotOf });
  await other?.connect();
  await other?.query("begin isolation level repeatable read");
  // The first statement takes the snapshot.
  await other?.query("select count(*) from task_groups");
  console.log(
    "| minutes | full cycles | CPU per cycle: Node + PostgreSQL (load) | memory of Node |\n|---|---|---|---|",
  );
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 60_000;
  for (let next = 0; elapsed() < minutes;) {
    const row = await fullCycles(bench);
    if (elapsed() < next) continue;
    next = elapsed() + 0.5;
    const memory = Math.round(usageOf(bench.serverPid).nodeMemory);
    console.log(`| ${elapsed().toFixed(1)} | ${row.result} | ${cpuText([row])} | ${memory} MiB |`);
  }
  await other?.query("commit");
  await other?.end();
}
