// Runs the server process once: starts it under a watchdog, observes its log, and stops it by closing a pipe.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { describeExit, watchdogScript } from "../../../lib/watchdog.ts";
import type { UserIds } from "../../../lib/system-users.ts";
import { cleanEnv } from "./system-user.ts";

// A fast shutdown, which writes a checkpoint, then an immediate one, then by force.
const watchdog = watchdogScript([
  ["INT", 5],
  ["QUIT", 5],
  ["KILL", 5],
]);

const readyLine = "database system is ready to accept connections";

export interface Postmaster {
  /** Process id of the server, not of its watchdog. */
  readonly pid: number;
  /** Resolves with the way the server ended ("exit code 0", "signal SIGKILL"). Never rejects. */
  readonly ended: Promise<string>;
  /** Stops the server: fast shutdown, immediate after 5 s, by force after 10 s. Resolves when it has ended. */
  stop(): Promise<void>;
}

export interface PostmasterOptions {
  program: string;
  args: readonly string[];
  /** Data folder of the cluster. */
  cluster: string;
  user: UserIds | undefined;
  onLine(line: string): void;
  /** Aborts a start in progress. */
  signal: AbortSignal;
}

/** Starts the server. Resolves when it accepts connections. If it ends before, rejects with its log messages. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const child = spawn("/bin/sh", ["-c", watchdog, "taskyard-postgres", options.program, ...options.args], {
    ...options.user,
    cwd: "/",
    env: cleanEnv(),
    // A separate session: Ctrl-C in our terminal must stop us first, and the database after the last request.
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
  });
  // Not "close": children of a killed server may keep the log pipe open a moment longer.
  const ended = new Promise<string>((resolve) => {
    child.once("error", (err) => resolve(err.message));
    child.once("exit", (code, signal) => resolve(describeExit(code, signal)));
  });
  child.stdin?.on("error", () => undefined);
  // If the watchdog itself was killed, its watcher still waits for this pipe to close, and then stops the server.
  void ended.then(() => child.stdin?.destroy());

  const stop = async (): Promise<void> => {
    child.stdin?.destroy();
    await ended;
  };
  const abort = (): void => void stop();
  options.signal.addEventListener("abort", abort, { once: true });

  const lines: string[] = [];
  const ready = new Promise<void>((resolve) => {
    if (child.stderr === null) return;
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (lines.push(line) > 20) lines.shift();
      if (line.includes(readyLine)) resolve();
      options.onLine(line);
    });
  });
  const earlyEnd = await Promise.race([ready, ended]);
  options.signal.removeEventListener("abort", abort);
  if (earlyEnd !== undefined) {
    const logged = (await lastLines(child, lines)).slice(-5).join("; ");
    throw new Error(
      `PostgreSQL did not start (${earlyEnd}): ${logged || "it logged nothing"}. Correct the cause and start again, or set DATABASE_URL to use another PostgreSQL.`,
    );
  }
  const pid = Number.parseInt(await readFile(path.join(options.cluster, "postmaster.pid"), "utf8"), 10);
  return { pid, ended, stop };
}

// The exit event may arrive before the last lines are read.
async function lastLines(child: ChildProcess, lines: readonly string[]): Promise<readonly string[]> {
  const stderr = child.stderr;
  if (stderr !== null && !stderr.closed)
    await once(stderr, "close", { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
  return lines;
}
