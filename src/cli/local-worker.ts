// The worker of `taskyard up`, in a process of its own: whatever a task does to its worker, the server still replies. Restarts
// it when it ends unexpectedly, and ends it with this process.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Credentials } from "../client/signer.ts";
import type { Clock } from "../lib/clock.ts";
import { supervise, type Running } from "../lib/supervise.ts";
import { describeExit, watchdogScript } from "../lib/watchdog.ts";
import type { WorkerSettings } from "../lib/worker-settings.ts";
import type { Fields } from "../worker/worker-monitor.ts";
import { CliError } from "./cli-error.ts";
import type { FromWorker, LogLevel, ToWorker } from "./worker-messages.ts";

export interface LocalWorkerOptions {
  readonly rootUrl: string;
  readonly settings: WorkerSettings;
  /** Returns new credentials, which are valid for more than two days. */
  readonly credentials: () => Credentials;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Readonly<Record<LogLevel, (fields: Fields, message: string) => void>> & {
    isLevelEnabled(level: LogLevel): boolean;
  };
  readonly clock: Clock;
}

export interface LocalWorker {
  /** Stops the worker and ends its process, by force if it takes too long. Resolves to whether it stopped by itself. */
  stop(): Promise<boolean>;
}

const dayMs = 86_400_000;
// A worker sends a message every ten seconds. One that hangs runs no task and reclaims none.
const maxSilenceMs = 60_000;
const silencesInAll = 3;
// The report of a run that is ended with its worker may take two seconds after `shutdownLimit`. The rest is a margin.
const reportMs = 2000;
const marginMs = 3000;
const killMs = 2000;

/** Returns how long the stop of a worker takes at most: it is ended by force shortly before. */
export const stopLimitMs = ({ stopGrace, shutdownLimit }: WorkerSettings): number =>
  stopGrace + shutdownLimit + reportMs + marginMs + killMs;

/** Starts the worker, and resolves when it waits for tasks. If its first start fails, rejects without another attempt. */
export async function startLocalWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  const { log, clock } = options;
  const supervised = await supervise({
    what: "the worker",
    log,
    clock,
    start: (signal) => launch(options, signal),
  });
  let cancel = (): void => undefined;
  const renew = (): void => {
    cancel = clock.after(dayMs, () => {
      supervised.current()?.send({ kind: "credentials", credentials: options.credentials() });
      renew();
    });
  };
  renew();
  return {
    async stop() {
      cancel();
      const last = supervised.current();
      await supervised.stop();
      const how = await last?.ended;
      if (how === undefined || how === "exit code 0") return true;
      log.error({ how }, "the worker did not stop in time");
      return false;
    },
  };
}

interface WorkerProcess extends Running {
  send(message: ToWorker): void;
}

/** Starts the process once. Rejects with the worker's own message if it does not start. */
async function launch(options: LocalWorkerOptions, signal: AbortSignal): Promise<WorkerProcess> {
  const { rootUrl, settings, env, log, clock } = options;
  const script = watchdogScript([
    ["TERM", (stopLimitMs(settings) - killMs) / 1000],
    ["KILL", killMs / 1000],
  ]);
  const command = [process.execPath, ...process.execArgv.filter(isShared), ...program()];
  const child = spawn("/bin/sh", ["-c", script, "taskyard-worker", ...command], {
    env: ownVariables(env),
    // A separate session: Ctrl-C in our terminal must stop us, and we the worker.
    detached: true,
    // The watchdog uses 0 and 3.
    stdio: ["pipe", "pipe", "pipe", "ignore", "ipc"],
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(describeExit(code, signal)));
  });
  child.stdin?.on("error", () => undefined);
  // If the watchdog itself was killed, its watcher still waits for this pipe to close, and then ends the worker.
  void ended.then(() => child.stdin?.destroy());
  for (const input of [child.stdout, child.stderr]) {
    // Only a crash writes there.
    if (input) createInterface({ input }).on("line", (line) => log.error({ line }, "output of the process"));
  }
  const send = (message: ToWorker): void => {
    // Without the callback, the error of a process that has just ended would be thrown.
    if (child.connected) child.send(message, () => undefined);
  };
  const close = (): void => void child.stdin?.destroy();
  signal.addEventListener("abort", close, { once: true });
  let silences = 0;
  const ready = new Promise<undefined>((resolve, reject) => {
    child.on("message", (message) => {
      silences = 0;
      // The program sends nothing else.
      const received = message as FromWorker;
      if (received.kind === "log") log[received.level](received.fields, received.message);
      else if (received.kind === "ready") resolve(undefined);
      // oxlint-disable-next-line messages/next-step -- the worker names it
      else if (received.kind === "failed") reject(new CliError(received.message));
    });
  });
  send({
    kind: "start",
    rootUrl,
    settings,
    credentials: options.credentials(),
    environment: inheritable(env),
    debug: log.isLevelEnabled("debug"),
  });
  const early = await Promise.race([ready, ended]);
  signal.removeEventListener("abort", close);
  if (early !== undefined)
    throw new CliError(`the process of the worker ended when it started (${early}): see its messages above`);
  // Counted rather than timed: when this process continues after a suspension, its timers run before it reads messages.
  let cancel = (): void => undefined;
  const watchSilence = (): void => {
    cancel = clock.after(maxSilenceMs / silencesInAll, () => {
      silences += 1;
      if (silences < silencesInAll) return watchSilence();
      log.error({ silentMs: maxSilenceMs }, "the worker hangs; ending it");
      close();
    });
  };
  watchSilence();
  void ended.then(() => cancel());
  return {
    ended,
    send,
    async stop() {
      close();
      await ended;
    },
  };
}

/** Returns the program next to this module: in the build, or in the sources, which need a loader. */
const program = (): readonly string[] =>
  import.meta.url.endsWith(".ts")
    ? ["--import", "tsx", fileURLToPath(new URL("worker-process.ts", import.meta.url))]
    : [fileURLToPath(new URL("worker-process.js", import.meta.url))];

/** A debugger has one port, which our own process uses. */
const isShared = (option: string): boolean => !option.startsWith("--inspect");

/**
 * Returns the variables that the process itself needs. The others reach it as a message: its environment can be read by
 * every process of its user, also by tasks.
 */
const ownVariables = (env: LocalWorkerOptions["env"]): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) =>
      /^(PATH|HOME|TMPDIR|TZ|LANG|LC_.*|SSL_CERT_(FILE|DIR)|NODE_.*|(HTTPS?|NO|ALL)_PROXY)$/i.test(name),
    ),
  );

/** Returns the variables for tasks: all but the settings of Taskyard and the credentials of its clients. */
const inheritable = (env: LocalWorkerOptions["env"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || /^(TASKYARD|TASKCLUSTER)_|^DATABASE_URL$/.test(name) ? [] : [[name, value]],
    ),
  );
