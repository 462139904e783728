// Parses and formats durations (`20m`) and byte sizes (`10MB`).
import { InternalError } from "./internal-error.ts";

const millisecondsOf = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

// Decimal units are powers of ten, as for disks and networks. Binary units have an `i` in their name.
const bytesOf = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

interface Quantity {
  readonly what: string;
  readonly example: string;
  readonly units: Readonly<Record<string, number>>;
}

const durations: Quantity = { what: "duration", example: "20m, 1200s or 500ms", units: millisecondsOf };
const sizes: Quantity = { what: "size", example: "10MB, 512KiB or 50GB", units: bytesOf };

/**
 * Returns the milliseconds of a duration such as `500ms`, `1200s`, `20m`, `12h` or `5d`: a whole number and one unit.
 * Throws an Error that states what is wrong and what would be right. A number without a unit is refused: it is unclear
 * whether 20 means seconds or minutes.
 */
export function parseDuration(text: string): number {
  return parse(text, durations);
}

/** Formats whole milliseconds in the largest unit that is exact: 1200000 is `20m`, 90000 is `90s`. */
export function formatDuration(ms: number): string {
  return format(ms, durations);
}

/** Returns the bytes of a size such as `10MB` (10,000,000) or `10MiB` (10,485,760). Throws like `parseDuration`. */
export function parseSize(text: string): number {
  return parse(text, sizes);
}

/** Formats bytes in the largest unit that is exact: 10485760 is `10MiB`, 50000000000 is `50GB`. */
export function formatSize(bytes: number): string {
  return format(bytes, sizes);
}

function parse(text: string, quantity: Quantity): number {
  const { what, example, units } = quantity;
  const match = /^(\d+)\s?([A-Za-z]*)$/.exec(text.trim());
  if (match === null)
    throw new Error(`is not a ${what}: write a whole number and a unit, such as ${example}`);
  const [, digits = "", unit = ""] = match;
  if (unit === "") throw new Error(`has no unit: write a ${what} such as ${example}`);
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) {
    throw new Error(`has the unknown unit "${unit}": use one of ${Object.keys(units).join(", ")}`);
  }
  const value = Number(digits) * factor;
  // Beyond 2^53, sums and comparisons are silently wrong. 285,000 years and 9 petabytes are enough.
  if (!Number.isSafeInteger(value))
    throw new Error(`is too large for a ${what}: use one below 285,000 years or 9 petabytes`);
  return value;
}

function format(value: number, { what, units }: Quantity): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new InternalError(`${value} is not a ${what}`);
  let best: [name: string, factor: number] = ["", 1];
  for (const [name, factor] of Object.entries(units)) {
    const first = best[0] === "";
    if (first || (value > 0 && value % factor === 0 && factor > best[1])) best = [name, factor];
  }
  return `${value / best[1]}${best[0]}`;
}
