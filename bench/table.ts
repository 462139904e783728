// Prints rows of figures: the rounds side by side, and CPU per call by process.
import { cpuPerCall, type Row } from "./row.ts";

export const head =
  "| measure | goal | results of the rounds | CPU per call: Node + PostgreSQL (load) |\n|---|---|---|---|";

/** Returns one line per row; all `rounds` have the same rows. */
export function lines(rounds: readonly (readonly Row[])[]): string[] {
  return (rounds[0] ?? []).map((row, i) => {
    const all = rounds.flatMap((round) => round[i] ?? []);
    return `| ${row.measure} | ${row.goal} | ${all.map(({ result }) => result).join("; ")} | ${cpuText(all)} |`;
  });
}

/** Returns the medians of CPU per call, such as `247 + 167 µs (129)`. */
export function cpuText(rows: readonly Row[]): string {
  const cpu = cpuPerCall(rows);
  return cpu ? `${cpu.node} + ${cpu.postgres} µs (${cpu.load})` : "–";
}
