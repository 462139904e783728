// An abort signal that follows others and can be detached from them.

export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Aborts this signal alone, not its sources. */
  abort(reason?: unknown): void;
  /** Removes the listeners from the sources, whose aborts then have no effect. Idempotent. */
  dispose(): void;
}

/**
 * Returns a signal that aborts when any of the sources does, with the same reason. The caller must call `dispose` (or
 * `abort`) when the work ends. `AbortSignal.any` has no equivalent: on Node 20.20.2 each pending listener on a signal
 * derived that way retains 1.2 kB for as long as the source lives.
 */
export function linkSignals(...sources: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const listeners: (() => void)[] = [];
  const dispose = (): void => {
    for (const remove of listeners.splice(0)) remove();
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
    const follow = (): void => abort(source.reason);
    source.addEventListener("abort", follow, { once: true });
    listeners.push(() => source.removeEventListener("abort", follow));
  }
  return { signal: controller.signal, abort, dispose };
}
