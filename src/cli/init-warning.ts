// Warns about tasks in a container without an init.
import type { Prepared } from "./stack.ts";

/**
 * Logs a warning if this process is the first of its container. Orphans become its children, and Node waits only for
 * children that it has started, so they would remain as zombies.
 */
export function warnWithoutInit(log: Pick<Prepared["monitor"]["log"], "warn">, pid = process.pid): void {
  if (pid !== 1) return;
  log.warn(
    "this is process 1, which has to wait for the orphans of tasks, and cannot: they remain as zombies. Start the container with an init, such as `docker run --init`",
  );
}
