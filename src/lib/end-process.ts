// Ends this process, whatever its threads do.
import { spawn } from "node:child_process";

/**
 * `process.exit` waits for the threads that open and read files. One that hangs, for example in a named pipe or on a network file
 * system that does not respond, would keep the process forever, and no signal but SIGKILL would reach it. So a shell kills it after two
 * seconds, unless the end of its input shows that the process has ended.
 */
const guard = `
  (n=0; while [ $n -lt 20 ]; do sleep 0.1; n=$((n + 1)); done; kill -KILL "$1") &
  read -r _
  kill $! 2>/dev/null`;

/** Ends this process with a status, or by SIGKILL if a thread hangs. */
export function endProcess(status: number): never {
  const child = spawn("/bin/sh", ["-c", guard, "sh", String(process.pid)], {
    detached: true,
    cwd: "/",
    env: { PATH: process.env["PATH"] },
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell, the process ends as it can.
  child.on("error", () => undefined);
  process.exit(status);
}
