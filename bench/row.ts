// A row of figures, and its parts as text.
import { median, percentile, type Cpu, type Measured } from "./measure.ts";

export interface Row {
  readonly measure: string;
  readonly goal: string;
  readonly result: string;
  /** The part of the result by which two builds are compared. */
  readonly figure: Figure;
  /** CPU seconds of all calls. */
  readonly cpu?: Cpu & { readonly calls: number };
}

export interface Figure {
  readonly value: number;
  readonly unit: "/s" | " tasks/s" | " ms";
}

export const rate = (m: Measured, unit: "/s" | " tasks/s" = "/s"): Figure => ({
  value: m.calls / m.seconds,
  unit,
});
export const milliseconds = (value: number): Figure => ({ value, unit: " ms" });

export const figureText = ({ value, unit }: Figure): string =>
  (unit === " ms" && value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en")) + unit;

/** Returns p50 and p99 of the latencies. */
export const latencyText = (m: Measured): string =>
  [0.5, 0.99].map((share) => figureText(milliseconds(percentile(m.latencies, share)))).join(" / ");

/** Returns the medians of CPU per call in µs; undefined if no CPU was measured. */
export function cpuPerCall(rows: readonly Row[]): Cpu | undefined {
  const used = rows.flatMap((row) => row.cpu ?? []);
  const per = (key: keyof Cpu): number => Math.round(median(used.map((c) => (c[key] / c.calls) * 1e6)));
  return used.length > 0 ? { node: per("node"), postgres: per("postgres"), load: per("load") } : undefined;
}
