// Formats times, sizes, foreign text, and text that has to fit into a width.
import { stripVTControlCharacters } from "node:util";

/** Formats a time in the user's time zone, which it names by its offset: `2026-01-31 12:00:00 +01:00`. */
export function localTime(time: string | undefined): string {
  if (time === undefined) return "-";
  const at = new Date(time);
  const two = (n: number): string => String(n).padStart(2, "0");
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  const offset = -at.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")} ${zone}`;
}

/** Formats the duration from one time to another: `850ms`, `12.3s`, `4m 5s`, `2h 10m`, `3d 4h`. */
export function timeBetween(from: string | undefined, to: string | undefined): string {
  if (from === undefined || to === undefined) return "-";
  const ms = Math.max(0, Date.parse(to) - Date.parse(from));
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}m ${Math.floor((ms % 60_000) / 1000)}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** Formats a number of bytes: `512 B`, `1.4 MB`. */
export function byteSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power] ?? "B"}`;
}

/** Returns text of foreign origin on one line, with control characters replaced, which a terminal would interpret. */
export const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, " ");

/** Formats names and values as lines of two columns. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  return facts.map(([name, value]) => (name.padEnd(width) + value).trimEnd());
}

/** Returns the number of characters of a text that may be colored. */
export const visibleLength = (text: string): number => Array.from(stripVTControlCharacters(text)).length;

/** Cuts a text that is too long, with an ellipsis and without its colors. */
export function fitted(text: string, length: number): string {
  const visible = Array.from(stripVTControlCharacters(text));
  return visible.length <= length ? text : `${visible.slice(0, length - 1).join("")}…`;
}
