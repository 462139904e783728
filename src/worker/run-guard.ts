// Ends the processes of tasks whose worker was killed. A worker that can still run code ends them itself.
import { spawn } from "node:child_process";
import { runMark, runMarker } from "./engines/native/environment.ts";
import type { RunId } from "./engine.ts";

export interface RunGuard {
  begin(run: RunId): void;
  end(run: RunId): void;
  /** Ends the guard. The processes of runs that have begun and not ended are killed. */
  close(): void;
}

// Its standard input is a pipe that only the worker holds open, so it ends with the worker. Until then it receives the runs
// that begin and end. Then it kills the process groups that have a member with the marker of such a run, until there was
// none for 0.3 s: a process has the marker only after its program has started. A shell needs 1 MB; the usual alternative,
// PR_SET_PDEATHSIG, reaches children only, and none of their descendants.
const script = `
runs=
while read -r what mark; do
  case $what in
    begin) runs="$runs $mark" ;;
    end)
      others=
      for run in $runs; do [ "$run" = "$mark" ] || others="$others $run"; done
      runs=$others ;;
  esac
done
[ -n "$runs" ] || exit 0
quiet=0
n=0
while [ $quiet -lt 3 ] && [ $n -lt 100 ]; do
  set --
  for run in $runs; do set -- "$@" -e "${runMarker}=$run"; done
  quiet=$((quiet + 1))
  for file in $(grep -lszFx "$@" /proc/[0-9]*/environ 2>/dev/null); do
    quiet=0
    pid=\${file#/proc/}
    pid=\${pid%/environ}
    read -r stat 2>/dev/null </proc/$pid/stat || continue
    set -- \${stat##*) }
    [ "$3" -gt 1 ] && kill -s KILL -- "-$3" 2>/dev/null
    kill -s KILL "$pid" 2>/dev/null
  done
  n=$((n + 1))
  sleep 0.1
done
`;

/** Starts the guard of a worker. Only Linux shows the environment of other processes; elsewhere it does nothing. */
export function startRunGuard(): RunGuard {
  if (process.platform !== "linux")
    return { begin: () => undefined, end: () => undefined, close: () => undefined };
  const guard = spawn("/bin/sh", ["-c", script, "taskyard-guard"], {
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" },
    // In a session of its own, so that what ends the worker's group does not end the guard.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Best effort: a worker can run without it, and removes what is left when it starts again.
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  const write = (what: string, { taskId, runId }: RunId): void => {
    guard.stdin.write(`${what} ${runMark(taskId, runId)}\n`);
  };
  return {
    begin: (run) => write("begin", run),
    end: (run) => write("end", run),
    close: () => void guard.stdin.end(),
  };
}
