// Explains why a graph makes no progress: its server does not respond, or no worker claims its tasks.
import { setTimeout as pause } from "node:timers/promises";

export interface InactivityOptions {
  /** Rejects if the server does not respond. */
  ping(): Promise<unknown>;
  /** Returns the queue of a pending task if no task is running. */
  unservedQueue(): string | undefined;
  report(text: string): void;
  /** Time without activity before each check. Waiting workers claim a task within milliseconds. */
  readonly quietMs: number;
  readonly signal: AbortSignal;
}

/** Checks until the signal aborts, and reports each cause once. Call the returned function on activity. */
export function watchInactivity(options: InactivityOptions): () => void {
  const { ping, unservedQueue, report, quietMs, signal } = options;
  let last = performance.now();
  let isDown = false;
  const reported = new Set<string>();
  const check = async (): Promise<void> => {
    const responds = await ping().then(
      () => true,
      () => false,
    );
    if (signal.aborted) return;
    if (isDown === responds)
      report(responds ? "the server responds again" : "the server does not respond; still trying");
    isDown = !responds;
    const queue = responds ? unservedQueue() : undefined;
    if (queue === undefined || reported.has(queue)) return;
    reported.add(queue);
    report(`no worker claims tasks of ${queue}; start one: taskyard worker --task-queue ${queue}`);
  };
  void (async () => {
    for (let wait = quietMs; !signal.aborted; wait = quietMs - (performance.now() - last)) {
      // Rejects when the signal aborts.
      if (wait > 0) await pause(wait, undefined, { signal, ref: false });
      else {
        await check();
        last = performance.now();
      }
    }
  })().catch(() => undefined);
  return () => void (last = performance.now());
}
