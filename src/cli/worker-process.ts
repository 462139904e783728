// The program of the process that `taskyard up` starts for its worker (see local-worker.ts). It receives everything over the
// channel to its parent, also the credentials: other processes of the same user can read environments and command lines.
import { useProxyOf } from "../lib/proxy.ts";
import type { Credentials } from "../client/signer.ts";
import { endProcess } from "../lib/end-process.ts";
import { startWorker, type Worker } from "../worker/main.ts";
import { renewableClient } from "../worker/renewable-client.ts";
import { messageOf, type Fields, type Logger } from "../worker/worker-monitor.ts";
import type { FromWorker, LogLevel, ToWorker } from "./worker-messages.ts";

// Node waits for no message when it exits. Sending takes microseconds, unless the parent hangs.
const lastMessageMs = 1000;
const aliveMs = 10_000;
const orphanedMs = 3000;

let renew: ((credentials: Credentials) => void) | undefined;
let started: Promise<Worker | undefined> | undefined;

process.on("message", (message: ToWorker) => {
  if (message.kind === "credentials") renew?.(message.credentials);
  else started ??= start(message);
});
process.on("disconnect", () => {
  void stop("taskyard has ended");
  // The server has most likely ended too, and its next start waits for this process. The next worker reports the runs.
  setTimeout(() => endProcess(1), orphanedMs).unref();
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => void stop(signal));
// Its reader is the parent, which may be gone.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

setInterval(() => send({ kind: "alive" }), aliveMs).unref();

async function start(options: Extract<ToWorker, { kind: "start" }>): Promise<Worker | undefined> {
  // /proc shows the environment with which a process was started, so other processes do not see these.
  Object.assign(process.env, options.environment);
  const { client, renew: renewWith } = renewableClient(options.rootUrl, options.credentials);
  renew = renewWith;
  try {
    await useProxyOf(process.env);
    const worker = await startWorker({ ...options.settings, client, log: sendingLog(options.debug) });
    send({ kind: "ready" });
    void worker.done.then((failure) => exit(failure === undefined ? 0 : 1));
    return worker;
  } catch (error) {
    send({ kind: "failed", message: messageOf(error) });
    exit(1);
    return undefined;
  }
}

/** Stops the worker, and then the process. Idempotent: the parent repeats its signal. */
async function stop(reason: string): Promise<void> {
  if (started === undefined) exit(0);
  else await (await started)?.stop(reason);
}

function exit(status: number): void {
  if (!process.connected) endProcess(status);
  setTimeout(() => endProcess(status), lastMessageMs);
  // Messages are sent in order, so the earlier ones have been sent when this one is.
  const last: FromWorker = { kind: "log", level: "debug", fields: {}, message: "the worker's process exits" };
  process.send?.(last, undefined, undefined, () => endProcess(status));
}

function send(message: FromWorker): void {
  // The callback receives the error when the parent is gone. Without one it would be thrown.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** Returns a logger that sends its records to the parent, which writes them with its own. */
function sendingLog(debug: boolean): Logger {
  const at =
    (level: LogLevel) =>
    (fields: Fields, message: string): void =>
      send({ kind: "log", level, fields: plain(fields), message });
  return {
    debug: debug ? at("debug") : () => undefined,
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}

/** Converts errors to plain objects: JSON omits their message and stack. */
const plain = (fields: Fields): Fields =>
  JSON.parse(
    JSON.stringify(fields, (_name, value: unknown) => {
      if (!(value instanceof Error)) return value;
      const code = "code" in value ? value.code : undefined;
      return { type: value.name, message: value.message, code, stack: value.stack };
    }),
  ) as Fields;
