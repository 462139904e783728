// The shell script that is the parent of a process which must not outlive ours. A second Node process would cost 40 MB.

/** A signal, and how many seconds it has before the next one. It is repeated, since a process may ignore it at first. */
export type WatchdogStep = readonly [signal: "INT" | "KILL" | "QUIT" | "TERM", seconds: number];

/**
 * Returns a script for `sh -c` that runs its arguments as a child, and exits with its status. Its standard input is a pipe
 * that only our process holds open, so it is closed when we stop the child and also when we are killed, by any signal. The
 * watchdog then takes the steps until the child has ended. The child does not inherit the pipe.
 *
 * As the parent it has the process id of the child from the start, and the id cannot be reused before it has reaped the
 * child. The trap and the last wait let the watcher reap its own sleep: in a container without an init no other process
 * would.
 */
export const watchdogScript = (steps: readonly WatchdogStep[]): string => `
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
(
  while read -r _ <&3; do :; done
  trap '' TERM
  for step in ${steps.map(([signal, seconds]) => `${signal}:${Math.ceil(seconds * 10)}`).join(" ")}; do
    n=0
    while [ $n -lt \${step#*:} ]; do
      kill -\${step%:*} $child 2>/dev/null || exit 0
      sleep 0.1
      n=$((n + 1))
    done
  done
) &
watcher=$!
exec 3<&-
wait $child
status=$?
kill $watcher 2>/dev/null
wait $watcher
exit $status
`;

/** Describes how the child of a watchdog ended. A shell reports that signal n ended it as 128 + n. */
export const describeExit = (code: number | null, signal: string | null): string =>
  signal !== null
    ? `signal ${signal}`
    : code !== null && code > 128
      ? `signal ${code - 128}`
      : `exit code ${code}`;
