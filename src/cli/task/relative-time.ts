// Parses times that are relative to now: `2 hours`, `{$fromNow: "1 day"}`.

export const day = 86_400_000;

/** Converts a relative time to ISO 8601. Returns any other value unchanged, for the validator to check. */
export function absoluteTime(value: unknown, now: number): unknown {
  if (value instanceof Date) return value.toISOString();
  const text = typeof value === "object" && value !== null && "$fromNow" in value ? value.$fromNow : value;
  if (typeof text !== "string") return value;
  const ms = relativeMs(text);
  return ms === undefined ? value : new Date(now + ms).toISOString();
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: day, w: 7 * day };
const amount = /(\d+)\s*(seconds?|sec|s|minutes?|min|m|hours?|h|days?|d|weeks?|w)/gy;

/** Parses `now`, `2 hours` or `1 day 12 hours` to milliseconds from now. Returns undefined for other text. */
export function relativeMs(text: string): number | undefined {
  const trimmed = text.trim().replace(/^in\s+/, "");
  if (trimmed === "" || trimmed === "now") return 0;
  let total = 0;
  let end = 0;
  amount.lastIndex = 0;
  for (let match = amount.exec(trimmed); match !== null; match = amount.exec(trimmed)) {
    const [, count = "", unit = ""] = match;
    total += Number(count) * (units[unit.charAt(0)] ?? 0);
    end = amount.lastIndex;
    while (trimmed.charAt(end) === " ") end++;
    amount.lastIndex = end;
  }
  return end === trimmed.length ? total : undefined;
}
