// The log of one run as bytes: live while the run goes on, from the saved log when it is over, and from one to the
// other, or over a broken connection, without losing or repeating a byte.
import { backoffDelay } from "../../lib/backoff.ts";
import { waitingClock } from "../../lib/clock.ts";
import { pause } from "../../lib/retry.ts";
import { callBackoff } from "../../client/call.ts";
import type { Client } from "../../client/connect.ts";
import { causeOf, CliError } from "../cli-error.ts";
import { findArtifact, type ArtifactSource } from "../task/artifact-access.ts";
import type { TaskWatch } from "./task-changes.ts";

export interface LogNames {
  readonly live: string;
  readonly backing: string;
}

export const usualLogNames: LogNames = {
  live: "public/logs/live.log",
  backing: "public/logs/live_backing.log",
};

export interface ReadLogOptions {
  readonly client: Client;
  readonly taskId: string;
  readonly runId: number;
  readonly names?: LogNames;
  readonly watch: TaskWatch;
  /** Stop at what there is now, instead of following a run that goes on. */
  readonly soFar?: boolean;
  readonly signal: AbortSignal;
}

// A log that should be there and cannot be read is asked for this often, for some 15 seconds in all: a worker that
// was canceled needs a moment to save it, and a store may be restarted.
const patience = 8;

/** For those who follow a task: a server that is restarted is back within this many tries, some 50 seconds. */
export const patientRetries = 9;

/** Yields the log until it is complete. A run that never wrote one yields nothing. */
export async function* readLog(options: ReadLogOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { client, taskId, runId, names = usualLogNames, watch, soFar = false, signal } = options;
  let at = 0;
  let failures = 0;
  for (;;) {
    const { seen } = watch;
    const { status } = await client.queue.status({ taskId }, { signal, retries: patientRetries });
    const run = status.runs[runId];
    if (run === undefined) throw new CliError(`${taskId} has no run ${runId}`);
    const over = run.state !== "pending" && run.state !== "running";
    const source = await locate(options, names, over);
    if (source === undefined) {
      if (soFar || (over && (run.started === undefined || failures >= patience))) return;
      if (over) await pause(waitingClock, backoffDelay(failures++, callBackoff), signal);
      else await watch.since(seen);
      continue;
    }
    // Nothing is written yet, or no more than what was read: waiting for the next byte would be following.
    const limit = soFar && source.storageType === "reference" ? await lengthOf(source.url, signal) : Infinity;
    if (at >= limit) return;
    try {
      for await (const chunk of bytesOf(source, at, signal)) {
        failures = 0;
        const wanted = chunk.subarray(0, Math.max(0, limit - at));
        at += wanted.length;
        yield wanted;
        if (at >= limit) return;
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (++failures > patience) throw new CliError(`the log broke off: ${causeOf(error)}`, { cause: error });
      await pause(waitingClock, backoffDelay(failures, callBackoff), signal);
    }
  }
}

/** Of a run that goes on, the live log; of one that is over, the saved one, or else the live one of a worker that saves it. */
async function locate(
  { client, taskId, runId, signal }: ReadLogOptions,
  names: LogNames,
  over: boolean,
): Promise<ArtifactSource | undefined> {
  const saved = over ? await findArtifact(client, taskId, runId, names.backing, signal) : undefined;
  return saved ?? findArtifact(client, taskId, runId, names.live, signal);
}

/** The bytes from `at` on, until the sender ends in order. */
async function* bytesOf(
  { url, storageType }: ArtifactSource,
  at: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  // A range of a saved log would count compressed bytes; a live one is sent as it is.
  const ranged = at > 0 && storageType === "reference";
  const response = await fetch(url, { headers: ranged ? { range: `bytes=${at}-` } : {}, signal });
  if (response.status === 416) return;
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`${new URL(url).origin} answered ${response.status} ${response.statusText}`);
  }
  let skip = response.status === 206 ? 0 : at;
  for await (const chunk of response.body) {
    const bytes: Uint8Array = chunk;
    const rest = bytes.subarray(Math.min(skip, bytes.length));
    skip -= bytes.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

/** How long a live log is now: asked for bytes that it cannot have, its server says. */
async function lengthOf(url: string, signal: AbortSignal): Promise<number> {
  const range = `bytes=${Number.MAX_SAFE_INTEGER - 1}-`;
  const response = await fetch(url, { headers: { range }, signal });
  await response.body?.cancel();
  const length = /^bytes \*\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (response.status === 416 && length !== undefined) return Number(length);
  throw new CliError("the run goes on, and its worker cannot tell how long the log is: follow it with -f");
}
