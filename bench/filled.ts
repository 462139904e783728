// Checks that cost stays flat: creates and claims tasks on an empty database and on one with millions of tasks.
import { fillDatabase } from "./fill-database.ts";
import type { Bench } from "./queue-calls.ts";
import type { Row } from "./row.ts";
import { warmUp } from "./scenarios.ts";
import { head, lines } from "./table.ts";
import { claimAndComplete, createConcurrently } from "./throughput.ts";

export interface FilledOptions {
  readonly databaseUrl: string;
  /** Resolved tasks, in millions; a tenth as many are pending. */
  readonly millions: number;
  readonly rounds: number;
}

export async function filled(bench: Bench, { databaseUrl, millions, rounds }: FilledOptions): Promise<void> {
  await warmUp(bench);
  const before = await measured(bench, rounds, (round) => `bench/empty${round}`);
  console.log(`Empty database:\n\n${[head, ...lines(before)].join("\n")}\n`);
  const queue = "bench/filled";
  const start = performance.now();
  await fillDatabase(databaseUrl, { resolved: millions * 1e6, pending: millions * 1e5, queue });
  const minutes = ((performance.now() - start) / 60_000).toFixed(1);
  // One unmeasured round loads the pages that such a server would have in memory.
  await measured(bench, 1, () => queue);
  const after = await measured(bench, rounds, () => queue);
  console.log(
    `${millions} million resolved tasks and a tenth as many pending, filled in ${minutes} minutes:\n`,
  );
  console.log([head, ...lines(after)].join("\n"));
}

/** Creates tasks in the queue and claims from it; in a filled queue, these are the oldest tasks. */
async function measured(bench: Bench, rounds: number, queueOf: (round: number) => string): Promise<Row[][]> {
  const rows: Row[][] = [];
  for (let round = 0; round < rounds; round++) {
    const queue = queueOf(round);
    rows.push([await createConcurrently(bench, queue), ...(await claimAndComplete(bench, queue))]);
  }
  return rows;
}
