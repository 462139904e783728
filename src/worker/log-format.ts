// The format of the lines that the worker itself writes to a task's log. Log viewers parse this format.
import type { ExitInfo } from "./exit-info.ts";

/** Formats one worker message: each of its lines gets the prefix and a newline. */
export function workerLine(level: "info" | "warn" | "error", text: string, now: number): string {
  // Errors have no timestamp: viewers match the literal prefix `[taskcluster:error]`.
  const stamp = new Date(now).toISOString();
  const prefix = {
    info: `[taskcluster ${stamp}]`,
    warn: `[taskcluster:warn ${stamp}]`,
    error: "[taskcluster:error]",
  }[level];
  return text
    .split("\n")
    .map((line) => `${prefix} ${line}\n`)
    .join("");
}

/**
 * Formats a duration as Go does (`0s`, `250µs`, `15.6ms`, `1m2.3s`, `2h0m0.5s`), to the microsecond: existing parsers of
 * these logs expect that format.
 */
export function goDuration(ms: number): string {
  const micros = Math.round(ms * 1000);
  if (micros === 0) return "0s";
  if (micros < 1000) return `${micros}µs`;
  if (micros < 1_000_000) return `${micros / 1000}ms`;
  const minutes = Math.floor(micros / 60_000_000);
  const seconds = `${(micros % 60_000_000) / 1_000_000}s`;
  if (minutes === 0) return seconds;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes}m${seconds}` : `${hours}h${minutes % 60}m${seconds}`;
}

/** Formats the lines after a command: its result and its times. */
export function exitBlock(exit: ExitInfo): string {
  if (exit.outcome === "aborted") return `Command ABORTED after ${goDuration(exit.wallMs)}`;
  if (exit.systemError !== undefined) return `System error executing command: ${exit.systemError}`;
  const rows: [label: string, value: string][] = [["Exit Code", String(exit.code ?? -1)]];
  if (exit.userMs !== undefined) rows.push(["User Time", goDuration(exit.userMs)]);
  if (exit.systemMs !== undefined) rows.push(["Kernel Time", goDuration(exit.systemMs)]);
  rows.push(["Wall Time", goDuration(exit.wallMs)]);
  rows.push(["Result", exit.outcome === "succeeded" ? "SUCCEEDED" : "FAILED"]);
  return rows.map(([label, value]) => `${`${label}:`.padStart(13)} ${value}`).join("\n");
}
