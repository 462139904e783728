// Parses times that are relative to now: `2 hours`, `{$fromNow: "1 day"}`.
import { textOf } from "../written-scalar.ts";

export const day = 86_400_000;

/** A JSON Schema of what `absoluteTime` takes, for `plainValue`. */
export const timeSchema = {
  type: "string",
  format: "date-time",
  properties: { $fromNow: { type: "string" } },
};

/** Converts a relative time to ISO 8601. Returns any other value unchanged, for the validator to check. */
export function absoluteTime(value: unknown, now: number): unknown {
  if (value instanceof Date) return value.toISOString();
  const text = isFromNow(value) ? value.$fromNow : value;
  if (typeof text !== "string") return value;
  const ms = relativeMs(text);
  return ms === undefined ? value : new Date(now + ms).toISOString();
}

/** Receives the place of a `$fromNow` that is not a relative time. */
export type OnInvalidTime = (path: readonly (string | number)[], text: string) => void;

/** Replaces every `{$fromNow: …}` within a value, such as that of an artifact's `expires`. */
export function resolveFromNow(
  value: unknown,
  now: number,
  onInvalid: OnInvalidTime,
  path: readonly (string | number)[] = [],
): unknown {
  if (isFromNow(value)) {
    const time = absoluteTime(value, now);
    if (typeof time !== "string") {
      const text = textOf(value.$fromNow) ?? JSON.stringify(value.$fromNow);
      onInvalid(path, `$fromNow: ${text} is not a relative time such as 2 hours or 1 year 6 months`);
    }
    return time;
  }
  if (Array.isArray(value))
    return value.map((element: unknown, i) => resolveFromNow(element, now, onInvalid, [...path, i]));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      resolveFromNow(member, now, onInvalid, [...path, key]),
    ]),
  );
}

const isFromNow = (value: unknown): value is { readonly $fromNow: unknown } =>
  typeof value === "object" && value !== null && "$fromNow" in value && Object.keys(value).length === 1;

// As in Taskcluster, a month has 30 days and a year 365.
const units: readonly (readonly [names: string, ms: number])[] = [
  ["years|year|yr|y", 365 * day],
  ["months|month|mo", 30 * day],
  ["weeks|week|wk|w", 7 * day],
  ["days|day|d", day],
  ["hours|hour|hr|h", 3_600_000],
  ["minutes|minute|min|m", 60_000],
  ["seconds|second|sec|s", 1000],
];
const unit = new RegExp(`\\s*(\\d+)\\s*(?:${units.map(([names]) => `(${names})`).join("|")})\\s*`, "y");
/** Times with a year of more than four digits are not valid. */
const maxMs = 7000 * 365 * day;

/** Parses `now`, `2 hours` or `1 day 12 hours` to milliseconds from now. Returns undefined for other text. */
export function relativeMs(text: string): number | undefined {
  const rest = text
    .trim()
    .toLowerCase()
    .replace(/^in\s+/, "");
  if (rest === "" || rest === "now") return 0;
  let total = 0;
  let end = 0;
  while (end < rest.length) {
    unit.lastIndex = end;
    const match = unit.exec(rest);
    if (match === null) return undefined;
    const [, count, ...names] = match;
    total += Number(count) * (units[names.findIndex((name) => name !== undefined)]?.[1] ?? 0);
    end = unit.lastIndex;
  }
  return total > maxMs ? undefined : total;
}
