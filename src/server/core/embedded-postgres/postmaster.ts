// One run of the server process: started under a watchdog, observed through what it logs, stopped by closing a pipe.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { cleanEnv, type SystemUser } from "./system-user.ts";

// The parent of the server. Its standard input is a pipe that only our process holds open, so it ends when we
// stop, and also when we are killed, by whatever signal: then the server is told to go, first politely (a fast
// shutdown, which writes a checkpoint), later not. Being the parent it knows the process id from the start and
// nobody else can get that id; a second Node process in its place would cost 40 MB. (The trap and the last wait
// let the watcher reap its own sleep: in a container without an init nobody else would.)
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
  /** Process id of the server (not of its watchdog). */
  readonly pid: number;
  /** Resolves when the server has ended, with how ("exit code 0", "signal SIGKILL"). Never rejects. */
  ended: Promise<string>;
  /** Ends it: fast shutdown, after 5 s immediate, after 10 s by force. Resolves when it has ended. */
  stop(): Promise<void>;
}

export interface PostmasterOptions {
  program: string;
  args: readonly string[];
  /** Data folder of the cluster. */
  cluster: string;
  user: SystemUser | undefined;
  onLine(line: string): void;
  /** Ends a start that is under way. */
  signal: AbortSignal;
}

/** Starts the server; resolves once it takes connections, rejects with what it logged if it ends before. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const child = spawn("/bin/sh", ["-c", watchdog, "taskyard-postgres", options.program, ...options.args], {
    ...options.user,
    cwd: "/",
    env: cleanEnv(),
    // Its own session: a Ctrl-C in our terminal must stop us first, and the database after the last request.
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
  });
  // Not "close": what a killed server leaves behind may hold the log pipe a moment longer.
  const ended = new Promise<string>((resolve) => {
    child.once("error", (err) => resolve(err.message));
    child.once("exit", (code, signal) => resolve(signal === null ? exitText(code) : `signal ${signal}`));
  });
  child.stdin?.on("error", () => undefined);
  // If the watchdog itself was killed, its watcher still waits for this pipe to close, and then ends the server.
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
  const early = await Promise.race([ready, ended]);
  options.signal.removeEventListener("abort", abort);
  if (early !== undefined) {
    const said = (await lastLines(child, lines)).slice(-5).join("; ");
    throw new Error(`PostgreSQL did not start (${early}): ${said || "it said nothing"}`);
  }
  const pid = Number.parseInt(await readFile(path.join(options.cluster, "postmaster.pid"), "utf8"), 10);
  return { pid, ended, stop };
}

// The exit may be noticed before the last lines were read.
async function lastLines(child: ChildProcess, lines: readonly string[]): Promise<readonly string[]> {
  const stderr = child.stderr;
  if (stderr !== null && !stderr.closed)
    await once(stderr, "close", { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
  return lines;
}

// A shell reports its child's death by signal n as 128 + n.
function exitText(code: number | null): string {
  return code !== null && code > 128 ? `signal ${code - 128}` : `exit code ${code}`;
}
