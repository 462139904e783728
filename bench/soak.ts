// Load for minutes: whether memory and cost stay what they were, also while PostgreSQL may forget nothing.
import pg from "pg";
import { usageOf } from "./cpu.ts";
import { fullCycles, warmUp, type Bench } from "./scenarios.ts";
import { cpuOf } from "./table.ts";

/**
 * Runs full cycles and prints a line each half minute. With `snapshotOf`, the URL of the database, a transaction that
 * sees it as it was at the beginning is open all the time.
 */
export async function soak(
  bench: Bench,
  { minutes, snapshotOf }: { readonly minutes: number; readonly snapshotOf: string | undefined },
): Promise<void> {
  await warmUp(bench);
  const other = snapshotOf === undefined ? undefined : new pg.Client({ connectionString: snapshotOf });
  await other?.connect();
  await other?.query("begin isolation level repeatable read");
  // A snapshot is taken by the first statement.
  await other?.query("select count(*) from task_groups");
  console.log(
    "| minutes | full cycles | CPU per cycle: Node + PostgreSQL (load) | memory of Node |\n|---|---|---|---|",
  );
  const begun = performance.now();
  const elapsed = (): number => (performance.now() - begun) / 60_000;
  for (let next = 0; elapsed() < minutes;) {
    const { result, cpu } = await fullCycles(bench);
    if (elapsed() < next) continue;
    next = elapsed() + 0.5;
    const memory = Math.round(usageOf(bench.serverPid).nodeMemory);
    console.log(`| ${elapsed().toFixed(1)} | ${result} | ${cpuOf(cpu ? [cpu] : [])} | ${memory} MiB |`);
  }
  await other?.query("commit");
  await other?.end();
}
