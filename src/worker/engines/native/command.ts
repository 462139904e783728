// Runs one command in its own process group, with one pipe for all its output, and returns its result.
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { slugid } from "../../../lib/slugid.ts";
import type { ExitInfo } from "../../exit-info.ts";
import { messageOf } from "../../worker-monitor.ts";
import { processStat } from "../../proc-stat.ts";
import type { ChildUsage } from "./child-usage.ts";

export interface CommandOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Receives the output. Its backpressure reaches the command. */
  readonly output: Writable;
  /** The worker's folder, on a file system that supports named pipes. */
  readonly controlDir: string;
  readonly usage: ChildUsage;
  /** If it is aborted, nothing is started. The caller ends processes that are running. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** The process group, or undefined if nothing could be started. */
  readonly group: number | undefined;
  /** Start time of its process (see ProcessStat). */
  readonly startTicks: number | undefined;
  /** Settles when the command has ended. Its background processes may still run and write. */
  readonly exit: Promise<ExitInfo>;
  /** Settles when no process can write any more. */
  readonly outputEnd: Promise<void>;
  /** Stops reading the output of processes that cannot be ended. */
  abandon(): void;
}

const mkfifo = promisify(execFile);
// When a background process keeps the pipe of an ended command open, the next line is logged after this much inactivity.
// Without one, the pipe ends with the command and nothing waits.
const inactivityMs = 100;

export async function startCommand(options: CommandOptions): Promise<Command> {
  const { argv, cwd, env, usage } = options;
  const [program = "", ...args] = argv;
  const pipe = await openPipe(options.controlDir);
  const startedAt = performance.now();
  usage.take();
  let child: ChildProcess | undefined;
  let problem: unknown;
  try {
    options.signal.throwIfAborted();
    // `detached` creates a new session and process group, so that one signal reaches the whole group.
    child = spawn(program, args, {
      cwd,
      env,
      detached: true,
      stdio: ["ignore", pipe.writeEnd, pipe.writeEnd],
    });
  } catch (error) {
    problem = error;
  }
  closeSync(pipe.writeEnd);
  // Read synchronously: Node reaps an ended child in the next iteration of the event loop at the earliest.
  const startTicks = child?.pid === undefined ? undefined : processStat(child.pid)?.startTicks;

  const source = pipe.source;
  const outputEnd = new Promise<void>((resolve) => void source.once("close", () => resolve()));
  source.on("error", () => source.destroy());
  source.pipe(options.output, { end: false });

  async function finish(running: ChildProcess | undefined): Promise<ExitInfo> {
    if (running === undefined) return notStarted(program, problem);
    const ended = await exitOf(running);
    const wallMs = performance.now() - startedAt;
    if ("error" in ended) return notStarted(program, ended.error);
    const times = usage.take();
    await untilInactive(source, outputEnd);
    const { code, signal } = ended;
    return { outcome: code === 0 ? "succeeded" : "failed", code, signal, wallMs, ...times };
  }
  return {
    group: child?.pid,
    startTicks,
    exit: finish(child),
    outputEnd,
    abandon: () => void source.destroy(),
  };
}

/**
 * Creates a kernel pipe by opening a named one, since Node has no other way. Node's own `stdio: "pipe"` was rejected: it
 * is a pair of sockets, so that opening /dev/stderr, as many scripts do, fails with ENXIO, and with two of them the order
 * of the two streams is lost. A file would be truncated by `> /dev/stderr`. Costs 3 ms per command, for starting mkfifo.
 */
async function openPipe(folder: string): Promise<{ source: Socket; writeEnd: number }> {
  const path = join(folder, slugid());
  await mkfifo("mkfifo", ["-m", "600", "--", path]);
  // Without O_NONBLOCK this would wait for a writer, which opens the pipe only afterwards.
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  await rm(path);
  return { source: new Socket({ fd: readEnd, readable: true, writable: false }), writeEnd };
}

type Ended = { code: number | null; signal: string | null } | { error: Error };

function exitOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ error }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}

/** Waits until the pipe has ended or was inactive for a while. */
async function untilInactive(source: Socket, outputEnd: Promise<void>): Promise<void> {
  for (let before = -1; before !== source.bytesRead && !source.closed;) {
    before = source.bytesRead;
    await Promise.race([outputEnd, sleep(inactivityMs, undefined, { ref: false })]);
  }
}

function notStarted(program: string, error: unknown): ExitInfo {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const why =
    code === "ENOENT"
      ? "there is no such program, or its working directory was removed"
      : code === "EACCES"
        ? "it is not executable"
        : messageOf(error);
  const systemError = `cannot start ${JSON.stringify(program)}: ${why}`;
  return { outcome: "failed", code: null, signal: null, systemError, wallMs: 0 };
}
