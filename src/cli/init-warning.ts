// Warns about tasks in a container without an init, in which Node is process 1.
import type { Configured } from "./configuration.ts";

/**
 * Logs a warning if this process is the first of its container. Orphans become its children, and Node waits only for
 * children that it has started, so they would remain as zombies. The command `taskyard` prevents it with a shell
 * (bin/process-1.sh); a program of Node that is started directly can do so from Node 22.15 on.
 */
export function warnWithoutInit(log: Pick<Configured["log"], "warn">, pid = process.pid): void {
  if (pid !== 1) return;
  log.warn(
    "this is process 1, which has to wait for the orphans of tasks, and Node cannot: they remain as zombies. Start the command `taskyard` instead of `node`, or the container with an init, such as `docker run --init`",
  );
}
