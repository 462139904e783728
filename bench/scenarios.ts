// The rows of the table, in the order in which they are measured.
import { fanOut, largeFanOut } from "./fan-out.ts";
import { createToWaitingWorker, dependencyToPending } from "./latencies.ts";
import type { Bench } from "./queue-calls.ts";
import type { Row } from "./row.ts";
import {
  claimAndComplete,
  createConcurrently,
  createOneByOne,
  fullCycles,
  statusReads,
} from "./throughput.ts";

/** Measures some rows in one round. */
export type Scenario = (b: Bench, round: number) => Promise<Row[]>;

/** The queue whose tasks one scenario creates and the next one claims. */
const queueOf = (round: number): string => `bench/claims${round}`;

export const scenarios: readonly Scenario[] = [
  async (b, round) => [await createConcurrently(b, queueOf(round))],
  (b, round) => claimAndComplete(b, queueOf(round)),
  async (b) => [await createOneByOne(b)],
  async (b) => [await statusReads(b)],
  async (b) => [await fullCycles(b)],
  async (b) => [await createToWaitingWorker(b)],
  async (b) => [await dependencyToPending(b)],
  async (b) => [await fanOut(b)],
  async (b) => [await largeFanOut(b)],
];

/** Runs most code paths once without measuring, so that the just-in-time compiler is done before the first row. */
export async function warmUp(b: Bench): Promise<void> {
  await fullCycles(b);
  await statusReads(b);
}
