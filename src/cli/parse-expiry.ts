// Parses the option `--expires`.
import { UsageError } from "./cli-error.ts";
import { relativeMs } from "./task/relative-time.ts";

export const expiresOption = {
  type: "value",
  value: "TIME",
  summary: "When it expires: a duration from now such as 30d or `1 year`, or a time.",
} as const;

/** Returns the time as ISO 8601. */
export function parseExpiry(text: string, now: number): string {
  const ms = text.trim() === "" ? undefined : relativeMs(text);
  const at = ms === undefined ? Date.parse(/^\d{4}-/.test(text) ? text : "") : now + ms;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new UsageError(
    `--expires ${text}: must be a duration such as 30d or "1 year", or a time such as 2030-01-31 or 2030-01-31T12:00:00Z`,
  );
}
