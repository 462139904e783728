// Runs one command in its own process group, with one pipe for all its output, and returns its result.
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chownSync, closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Socket } from "node:net";
import { constants as system } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { slugid } from "../../../lib/slugid.ts";
import type { ExitInfo } from "../../exit-info.ts";
import { ResourceUnavailableError } from "../../outcome.ts";
import { processStat } from "../../proc-stat.ts";
import type { ChildUsage } from "./child-usage.ts";
import { spawnFault, startFault } from "./start-fault.ts";
import type { TaskUser } from "./task-user.ts";

export interface CommandOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: TaskUser;
  /** Words in front of the command that run it in a namespace, as the user. */
  readonly enter: readonly string[] | undefined;
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
// When a background process keeps the pipe of an ended command open, the next line is logged after this much inactivity, or
// after that many such intervals if it writes all the time. Without one, the pipe ends with the command and nothing waits.
const inactivityMs = 100;
const maxIntervals = 10;

// The shell that starts the command and reports how it ended. Node alone cannot: it reports the end by a signal that it has
// no name for (all real-time signals) as exit code 0. So success has another code here, exchanged with 0, and what ends with
// 0 has failed. In a shell, the status after signal n is 128 + n.
//
// With `setsid` the command leads its own session and group: `kill 0` and `kill -- -$$` in it do not reach the shell. The
// subshell makes `exec` find programs only, and not the commands of the shell.
const succeeded = 77;
const script = [
  // Without this, the shell would write "Killed" to the log, in the language of the machine.
  `exec 3>&2 2>/dev/null`,
  `cd "$1" || exit 126`,
  `shift`,
  `unset OLDPWD`,
  `if command -v setsid >/dev/null; then (exec setsid -- "$@" 2>&3 3>&-); else (exec "$@" 2>&3 3>&-); fi`,
  `status=$?`,
  `case $status in 0) exit ${succeeded} ;; ${succeeded}) exit 0 ;; esac`,
  `exit $status`,
].join("\n");

export async function startCommand(options: CommandOptions): Promise<Command> {
  const { argv, cwd, env, user, enter, usage } = options;
  const [program = ""] = argv;
  const pipe = await openPipe(options.controlDir, user);
  const startedAt = performance.now();
  usage.take();
  let child: ChildProcess | undefined;
  let problem: unknown;
  try {
    options.signal.throwIfAborted();
    const [first = "", ...rest] = [...(enter ?? []), "/bin/sh", "-c", script, "sh", cwd, ...argv];
    child = spawn(first, rest, {
      cwd: "/",
      env,
      // Creates a new session and process group, so that one signal reaches the whole group.
      detached: true,
      stdio: ["ignore", pipe.writeEnd, pipe.writeEnd],
      ...(enter === undefined && user.separate ? { uid: user.uid, gid: user.gid } : {}),
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
    if (running === undefined) return notStarted(program, spawnFault(problem));
    const ended = await exitOf(running);
    const wallMs = performance.now() - startedAt;
    if ("error" in ended) return notStarted(program, spawnFault(ended.error));
    const times = usage.take();
    await untilInactive(source, outputEnd);
    const { code, signal } = ended;
    if (code === 126 || code === 127) {
      const fault = await startFault({ program, cwd, path: env["PATH"] ?? "" });
      if (fault !== undefined) return notStarted(program, fault);
    }
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
async function openPipe(folder: string, user: TaskUser): Promise<{ source: Socket; writeEnd: number }> {
  const path = join(folder, slugid());
  await mkfifo("mkfifo", ["-m", "600", "--", path], { env: { ...process.env, LC_ALL: "C" } }).catch(
    (error: unknown) => {
      if (!/No space left|Read-only file system|quota/.test(String(error))) throw error;
      throw new ResourceUnavailableError(
        `the disk of the worker's folder ${folder} is full or read-only: free some space, or quarantine the worker`,
        {
          cause: error,
        },
      );
    },
  );
  // Commands open it again, as /dev/stderr.
  if (user.separate) chownSync(path, user.uid, user.gid);
  // Without O_NONBLOCK this would wait for a writer, which opens the pipe only afterwards.
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  await rm(path);
  return { source: new Socket({ fd: readEnd, readable: true, writable: false }), writeEnd };
}

type Ended = { code: number; signal: string | null } | { error: Error };

function exitOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ error }));
    child.once("exit", (code, signal) => {
      if (signal !== null) resolve({ code: 128 + system.signals[signal], signal });
      else resolve({ code: code === succeeded ? 0 : code === 0 ? succeeded : (code ?? succeeded), signal });
    });
  });
}

/** Waits until the pipe has ended or was inactive for a while, but not for long. */
async function untilInactive(source: Socket, outputEnd: Promise<void>): Promise<void> {
  let before = -1;
  for (let i = 0; i < maxIntervals && before !== source.bytesRead && !source.closed; i++) {
    before = source.bytesRead;
    await Promise.race([outputEnd, sleep(inactivityMs, undefined, { ref: false })]);
  }
}

function notStarted(program: string, why: string): ExitInfo {
  const systemError = `cannot start ${JSON.stringify(program)}: ${why}`;
  return { outcome: "failed", code: null, signal: null, systemError, wallMs: 0 };
}
