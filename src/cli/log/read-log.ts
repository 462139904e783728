// Reads the log of a run as bytes: the live log during the run, the saved log afterwards. Switching between them, or
// reconnecting, neither loses nor repeats a byte.
import { backoffDelay } from "../../lib/backoff.ts";
import { waitingClock, type Clock } from "../../lib/clock.ts";
import { pause } from "../../lib/retry.ts";
import type { Client } from "../../client/connect.ts";
import { causeOf, CliError } from "../cli-error.ts";
import { findArtifact, type ArtifactSource } from "../task/artifact-access.ts";
import { followRetries, isResolved, type TaskChanges } from "./task-changes.ts";

/** Names of the artifacts that hold the log. */
export interface LogNames {
  readonly live: string;
  readonly backing: string;
}

export const defaultLogNames: LogNames = {
  live: "public/logs/live.log",
  backing: "public/logs/live_backing.log",
};

export interface ReadLogOptions {
  readonly client: Client;
  readonly taskId: string;
  readonly runId: number;
  readonly names?: LogNames;
  readonly changes: TaskChanges;
  /** Stops at the current end of the log instead of following the run. */
  readonly soFar?: boolean;
  /** Called once if the live log cannot be reached from here, so that there is no output before the run ends. */
  readonly onUnreachable: (text: string) => void;
  /** Called if the run has ended and its log, or the rest of it, was not saved. */
  readonly onMissing: (text: string) => void;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

// Failures in a row before giving up on a log that should exist, about 15 seconds: the worker of a canceled run needs a
// moment to save the log, and a store may be restarting.
const maxFailures = 8;
const backoff = { baseMs: 100, maxMs: 4000, jitter: 0.25 };

// Failures before giving up on a live log that has not been read yet: this machine may have no route to its worker.
const maxFirstFailures = 2;

/** Yields the log until it is complete. Yields nothing for a run that never wrote one. */
export async function* readLog(options: ReadLogOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const {
    client,
    taskId,
    runId,
    names = defaultLogNames,
    changes,
    soFar = false,
    signal,
    clock = waitingClock,
  } = options;
  let at = 0;
  let failures = 0;
  let isReachable = true;
  for (;;) {
    const { count } = changes;
    const { status } = await client.queue.status({ taskId }, { signal, retries: followRetries });
    const run = status.runs[runId];
    if (run === undefined)
      throw new CliError(`${taskId} has no run ${runId}: \`taskyard task status ${taskId}\` lists its runs`);
    const finished = isResolved(run.state);
    // Whatever was not saved a minute after the end of the run will not be.
    const isLongOver = run.resolved !== undefined && clock.now() - Date.parse(run.resolved) > 60_000;
    const patience = isLongOver ? 1 : maxFailures;
    const source = isReachable || finished ? await locate(options, names, finished) : undefined;
    if (source === undefined) {
      if (soFar && !finished)
        throw new CliError(
          `run ${runId} of ${taskId} ${run.state === "pending" ? "waits for a worker" : "is running"} and has no log yet: use -f to wait for it`,
        );
      if (finished && (run.started === undefined || failures >= patience)) {
        options.onMissing(
          run.started === undefined
            ? `run ${runId} was never claimed by a worker (${run.reasonResolved}), so it has no log`
            : `no log of run ${runId} was saved before the run ended (${run.reasonResolved})`,
        );
        return;
      }
      if (finished) await pause(clock, backoffDelay(failures++, backoff), signal);
      else await changes.after(count);
      continue;
    }
    const isLive = source.storageType === "reference";
    try {
      // At the end already. Requesting the next byte would wait for it.
      const limit = soFar && isLive ? await lengthOf(source.url, signal) : Infinity;
      if (at >= limit) return;
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
      if (error instanceof CliError) throw error;
      if (++failures > maxFailures && !isLive)
        throw new CliError(`cannot read the rest of the log: ${causeOf(error)}. Try again.`, {
          cause: error,
        });
      if (isLive && finished && failures > patience) {
        const what = at === 0 ? "no log" : "no more of the log";
        options.onMissing(`${what} of run ${runId} was saved before the run ended (${run.reasonResolved})`);
        return;
      }
      if (isLive && !finished && failures >= (at === 0 ? maxFirstFailures : maxFailures)) {
        const where = `the live log of run ${runId}, at ${new URL(source.url).origin}, cannot be reached from here: ${causeOf(error)}`;
        if (soFar)
          throw new CliError(
            `${where}. \`taskyard task log -f ${taskId}\` prints the log when the run has ended.`,
            {
              cause: error,
            },
          );
        if (isReachable) options.onUnreachable(`${where}. Its log will be printed when the run has ended.`);
        isReachable = false;
        failures = 0;
        continue;
      }
      await pause(clock, backoffDelay(failures, backoff), signal);
    }
  }
}

/** Finds the live log of an active run. Of a finished run, finds the saved log, or the live one while it is being saved. */
async function locate(
  { client, taskId, runId, signal }: ReadLogOptions,
  names: LogNames,
  finished: boolean,
): Promise<ArtifactSource | undefined> {
  const saved = finished ? await findArtifact(client, taskId, runId, names.backing, signal) : undefined;
  return saved ?? findArtifact(client, taskId, runId, names.live, signal);
}

/** Yields the bytes from `at` until the response is complete. */
async function* bytesOf(
  { url, storageType }: ArtifactSource,
  at: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Ranges of a saved log would count compressed bytes. A live log is not compressed.
  const ranged = at > 0 && storageType === "reference";
  const response = await fetch(url, { headers: ranged ? { range: `bytes=${at}-` } : {}, signal });
  if (response.status === 416) return;
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(
      `${new URL(url).origin} returned ${response.status} ${response.statusText}: try again later`,
    );
  }
  let skip = response.status === 206 ? 0 : at;
  for await (const chunk of response.body) {
    const bytes: Uint8Array = chunk;
    const rest = bytes.subarray(Math.min(skip, bytes.length));
    skip -= bytes.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

/** Returns the current length of a live log: the server states it in the refusal of a range beyond the end. */
async function lengthOf(url: string, signal: AbortSignal): Promise<number> {
  const range = `bytes=${Number.MAX_SAFE_INTEGER - 1}-`;
  const response = await fetch(url, { headers: { range }, signal });
  await response.body?.cancel();
  const length = /^bytes \*\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (response.status === 416 && length !== undefined) return Number(length);
  throw new CliError(
    "the run is active, and its worker does not support reading the log so far: use -f to follow it",
  );
}
