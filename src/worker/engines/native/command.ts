// Runs one command: its own process group, one pipe for all its output, and an account of how it ended.
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
  /** Takes the output; its back-pressure reaches the command. */
  readonly output: Writable;
  /** A folder of the worker's on a disk that can hold a named pipe. */
  readonly controlDir: string;
  readonly usage: ChildUsage;
  /** If it has fired, nothing is started. To end what runs is left to others. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** The process group, or undefined where nothing could be started. */
  readonly group: number | undefined;
  /** When its process began, as the kernel counts (see ProcessStat). */
  readonly began: number | undefined;
  /** Settles when the command has ended; what it left in the background may still run and write. */
  readonly exit: Promise<ExitInfo>;
  /** Settles when nothing can write any more. */
  readonly outputEnd: Promise<void>;
  /** Stops listening to what cannot be ended. */
  abandon(): void;
}

const mkfifo = promisify(execFile);
// How long the output of an ended command may be silent before the next thing is logged, when something that it left
// in the background keeps the pipe open. Else the pipe's end comes with the command's and nothing waits.
const quietMs = 100;

export async function startCommand(options: CommandOptions): Promise<Command> {
  const { argv, cwd, env, usage } = options;
  const [program = "", ...args] = argv;
  const pipe = await openPipe(options.controlDir);
  const startedAt = performance.now();
  usage.taken();
  let child: ChildProcess | undefined;
  let problem: unknown;
  try {
    options.signal.throwIfAborted();
    // `detached` makes a new session and process group, so that one signal reaches all of it.
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
  // Asked at once: Node lets an ended child go no earlier than in the next turn of the event loop.
  const began = child?.pid === undefined ? undefined : processStat(child.pid)?.began;

  const source = pipe.source;
  const outputEnd = new Promise<void>((resolve) => void source.once("close", () => resolve()));
  source.on("error", () => source.destroy());
  source.pipe(options.output, { end: false });

  async function finish(running: ChildProcess | undefined): Promise<ExitInfo> {
    if (running === undefined) return notStarted(program, problem);
    const ended = await exitOf(running);
    const wallMs = performance.now() - startedAt;
    if ("error" in ended) return notStarted(program, ended.error);
    const times = usage.taken();
    await quiet(source, outputEnd);
    const { code, signal } = ended;
    return { outcome: code === 0 ? "succeeded" : "failed", code, signal, wallMs, ...times };
  }
  return { group: child?.pid, began, exit: finish(child), outputEnd, abandon: () => void source.destroy() };
}

/**
 * A pipe in the kernel, made by way of a named one, since Node can make no other. Why not Node's own `stdio: "pipe"`?
 * That is a pair of sockets: opening /dev/stderr, as many scripts do, then fails with ENXIO; and two of them
 * lose the order of the two streams. A file instead would be truncated by `> /dev/stderr`.
 * Costs 3 ms a command, for starting mkfifo.
 */
async function openPipe(folder: string): Promise<{ source: Socket; writeEnd: number }> {
  const path = join(folder, slugid());
  await mkfifo("mkfifo", ["-m", "600", "--", path]);
  // Without O_NONBLOCK this would wait for a writer, who comes only afterwards; so neither of the two ever waits.
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

/** Waits until the pipe has ended, or nothing has come for a while. */
async function quiet(source: Socket, outputEnd: Promise<void>): Promise<void> {
  for (let before = -1; before !== source.bytesRead && !source.closed;) {
    before = source.bytesRead;
    await Promise.race([outputEnd, sleep(quietMs, undefined, { ref: false })]);
  }
}

function notStarted(program: string, error: unknown): ExitInfo {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const why =
    code === "ENOENT"
      ? "there is no such program, or no working directory any more"
      : code === "EACCES"
        ? "it is not executable"
        : messageOf(error);
  const systemError = `cannot start ${JSON.stringify(program)}: ${why}`;
  return { outcome: "failed", code: null, signal: null, systemError, wallMs: 0 };
}
