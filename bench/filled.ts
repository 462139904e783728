// Whether the cost stays flat: creating and claiming on an empty database, and beside millions of tasks.
import { fillDatabase } from "./fill-database.ts";
import { claimAndComplete, createAtOnce, warmUp, type Bench, type Row } from "./scenarios.ts";
import { head, lines } from "./table.ts";

export interface FilledOptions {
  readonly databaseUrl: string;
  /** Resolved tasks; a tenth as many are pending. */
  readonly millions: number;
  readonly rounds: number;
}

export async function filled(bench: Bench, { databaseUrl, millions, rounds }: FilledOptions): Promise<void> {
  await warmUp(bench);
  const before = await measured(bench, rounds, (round) => `bench/empty${round}`);
  console.log(`An empty database:\n\n${[head, ...lines(before)].join("\n")}\n`);
  const queue = "bench/filled";
  const begun = performance.now();
  await fillDatabase(databaseUrl, { resolved: millions * 1e6, pending: millions * 1e5, queue });
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
  // One round to have the pages in memory that such a server has in memory.
  await measured(bench, 1, () => queue);
  const after = await measured(bench, rounds, () => queue);
  console.log(
    `${millions} million resolved tasks and a tenth as many pending, filled in ${minutes} minutes:\n`,
  );
  console.log([head, ...lines(after)].join("\n"));
}

/** Tasks are created in the queue and others claimed from it: in a filled one, those that wait for longest. */
async function measured(bench: Bench, rounds: number, queueOf: (round: number) => string): Promise<Row[][]> {
  const rows: Row[][] = [];
  for (let round = 0; round < rounds; round++) {
    const queue = queueOf(round);
    rows.push([await createAtOnce(bench, queue), ...(await claimAndComplete(bench, queue))]);
  }
  return rows;
}
