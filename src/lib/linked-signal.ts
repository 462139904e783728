// An abort signal that follows others and can be detached from them.

export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Aborts this signal alone, not its sources. */
  abort(reason?: unknown): void;
  /** Removes the listeners from the sources, whose aborts then have no effect. Idempotent. */
  dispose(): void;
}

/**
 * The callbacks of each signal, behind one listener. Node prints a warning when a signal gets its eleventh listener, and
 * one signal may end hundreds of calls.
 */
const callbacksOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `callback` when the signal aborts. Returns a function that cancels this. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let callbacks = callbacksOf.get(signal);
  if (callbacks === undefined) {
    callbacks = new Set();
    callbacksOf.set(signal, callbacks);
  }
  // A new function, so that the same callback can be registered twice.
  const own = (): void => callback();
  if (callbacks.size === 0) signal.addEventListener("abort", callAll, { once: true });
  callbacks.add(own);
  return () => {
    if (callbacks.delete(own) && callbacks.size === 0) signal.removeEventListener("abort", callAll);
  };
}

function callAll(this: AbortSignal): void {
  const callbacks = callbacksOf.get(this);
  callbacksOf.delete(this);
  for (const callback of callbacks ?? []) callback();
}

/**
 * Returns a signal that aborts when any of the sources does, with the same reason. The caller must call `dispose` (or
 * `abort`) when the work ends. `AbortSignal.any` has no equivalent: on Node 20.20.2 each pending listener on a signal
 * derived that way retains 1.2 kB for as long as the source lives.
 */
export function linkSignals(...sources: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const cancels: (() => void)[] = [];
  const dispose = (): void => {
    for (const cancel of cancels.splice(0)) cancel();
  };
  const abort = (reason?: unknown): void => {
    dispose();
    controller.abort(reason);
  };

  for (const source of sources) {
    if (source === undefined) continue;
    if (source.aborted) {
      abort(source.reason);
      break;
    }
    cancels.push(onAbort(source, () => abort(source.reason)));
  }
  return { signal: controller.signal, abort, dispose };
}
