// Prints rows of figures: rounds side by side, and the CPU of a call in its parts.
import type { Row } from "./scenarios.ts";

export const head =
  "| measure | goal | results, a round each | CPU per call: Node + PostgreSQL (load) |\n|---|---|---|---|";

/** A line for each row of a round; `rounds` have the same rows. */
export function lines(rounds: readonly (readonly Row[])[]): string[] {
  return (rounds[0] ?? []).map((row, i) => {
    const all = rounds.map((round) => round[i]?.result).join("; ");
    return `| ${row.measure} | ${row.goal} | ${all} | ${cpuOf(rounds.flatMap((round) => round[i]?.cpu ?? []))} |`;
  });
}

/** Medians in µs. */
export function cpuOf(used: readonly NonNullable<Row["cpu"]>[]): string {
  const per = (key: "node" | "postgres" | "load"): number =>
    Math.round(median(used.map((c) => (c[key] / c.calls) * 1e6)));
  return used.length > 0 ? `${per("node")} + ${per("postgres")} µs (${per("load")})` : "–";
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
