// What it means that nothing happens to a graph: its server is away, or no worker takes its tasks.
import { setTimeout as pause } from "node:timers/promises";

export interface InactivityOptions {
  /** Whether the server answers; rejects where it does not. */
  ping(): Promise<unknown>;
  /** The queue of a task that waits for a worker, where some do and none is running. */
  unserved(): string | undefined;
  tell(text: string): void;
  /** How long nothing happens before this is looked at. Workers that wait take a task within milliseconds. */
  readonly quietMs: number;
  readonly signal: AbortSignal;
}

/** Looks until the signal fires, and tells what it finds once. Call what it answers when something has happened. */
export function watchInactivity({ ping, unserved, tell, quietMs, signal }: InactivityOptions): () => void {
  let last = performance.now();
  let isAway = false;
  const told = new Set<string>();
  const look = async (): Promise<void> => {
    const answers = await ping().then(
      () => true,
      () => false,
    );
    if (signal.aborted) return;
    if (isAway === answers) tell(answers ? "the server is back" : "the server does not answer; still trying");
    isAway = !answers;
    const queue = answers ? unserved() : undefined;
    if (queue === undefined || told.has(queue)) return;
    told.add(queue);
    tell(`no worker takes a task of ${queue}; to start one: taskyard worker --task-queue ${queue}`);
  };
  void (async () => {
    for (let wait = quietMs; !signal.aborted; wait = quietMs - (performance.now() - last)) {
      // Rejects when the signal fires.
      if (wait > 0) await pause(wait, undefined, { signal, ref: false });
      else {
        await look();
        last = performance.now();
      }
    }
  })().catch(() => undefined);
  return () => void (last = performance.now());
}
