// Runs the server process once: starts it under a watchdog, observes its log, and stops it by closing a pipe.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { cleanEnv, type SystemUser } from "./system-user.ts";

// The parent of the server. Its standard input is a pipe that only our process holds open, so it is closed when we stop
// and also when we are killed, by any signal. The watchdog then stops the server, first with a fast shutdown, which
// writes a checkpoint, later by force. As the parent it has the server's process id from the start, and the id cannot
// be reused before it has reaped the server. A second Node process would cost 40 MB. (The trap and the last wait let
// the watcher reap its own sleep: in a container without an init no other process would.)
const watchdog = `
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
  while read -r _ <&3; do :; done
  trap '' TERM
  for signal in INT QUIT KILL; do
    n=0
    while [ $n -lt 50 ]; do
      kill -$signal $server 2>/dev/null || exit 0
      sleep 0.1
      n=$((n + 1))
    done
  done
) &
watcher=$!
exec 3<&-
wait $server
status=$?
kill $watcher 2>/dev/null
wait $watcher
exit $status
`;

const readyLine = "database system is ready to accept connections";

export interface Postmaster {
  /** Process id of the server, not of its watchdog. */
  readonly pid: number;
  /** Resolves with the way the server ended ("exit code 0", "signal SIGKILL"). Never rejects. */
  ended: Promise<string>;
  /** Stops the server: fast shutdown, immediate after 5 s, by force after 10 s. Resolves when it has ended. */
  stop(): Promise<void>;
}

export interface PostmasterOptions {
  program: string;
  args: readonly string[];
  /** Data folder of the cluster. */
  cluster: string;
  user: SystemUser | undefined;
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
    child.once("exit", (code, signal) => resolve(signal === null ? describeExit(code) : `signal ${signal}`));
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
    throw new Error(`PostgreSQL did not start (${earlyEnd}): ${logged || "it logged nothing"}`);
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

// A shell reports that its child was killed by signal n as 128 + n.
function describeExit(code: number | null): string {
  return code !== null && code > 128 ? `signal ${code - 128}` : `exit code ${code}`;
}
