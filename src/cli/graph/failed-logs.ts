// Prints the ends of the logs of failed tasks.
import { stripVTControlCharacters } from "node:util";
import type { Client } from "../../client/connect.ts";
import { colorsFor } from "../colors.ts";
import { oneLine } from "../format.ts";
import { writeLine, writeLines, type Io } from "../io.ts";
import { workerLine } from "../log/log-writer.ts";
import { defaultLogNames } from "../log/read-log.ts";
import { findArtifact } from "../task/artifact-access.ts";
import type { GraphProgress } from "./graph-progress.ts";

const maxTasks = 3;
const maxLines = 10;
/** Longer logs are not read: only their end is wanted, but compressed logs are read from the start. */
const maxBytes = 32 * 2 ** 20;
const tailLength = 16_384;
const timeoutMs = 10_000;

/** Prints the last lines of the first failed tasks. Logs that cannot be read are left out: `task log` explains why. */
export async function printFailedLogs(client: Client, io: Io, progress: GraphProgress): Promise<void> {
  const colors = colorsFor(io.stderr, io.env);
  const failed = [...progress.all()].filter(({ state }) => state === "failed").slice(0, maxTasks);
  for (const { task, runs } of failed) {
    const lines = await lastLines(client, task.taskId, runs - 1).catch(() => []);
    if (lines.length === 0) continue;
    writeLine(io.stderr, colors.bold(`last lines of ${task.name}:`));
    writeLines(
      io.stderr,
      lines.map((line) => `  ${line}`),
    );
  }
}

/** Returns the last lines that the commands wrote, or else those of the worker. */
async function lastLines(client: Client, taskId: string, runId: number): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  const source = await findArtifact(client, taskId, runId, defaultLogNames.backing, signal);
  if (source === undefined) return [];
  const response = await fetch(source.url, { signal });
  if (!response.ok || response.body === null) return [];
  const decoder = new TextDecoder();
  let tail = "";
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return [];
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-tailLength);
  }
  // The first line may be cut.
  const lines = tail
    .split("\n")
    .slice(bytes > tailLength ? 1 : 0)
    .map((line) => oneLine(stripVTControlCharacters(line)).trimEnd())
    .filter((line) => line !== "");
  const written = lines.filter((line) => !workerLine.test(line));
  return (written.length > 0 ? written : lines).slice(-maxLines);
}
