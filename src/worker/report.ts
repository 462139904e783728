// Reports the resolution of a run to the queue, with retries until it is accepted.
import type { Clock } from "../lib/clock.ts";
import { retry } from "../lib/retry.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import type { Resolution } from "./outcome.ts";
import { isTransient, refusalOf } from "./queue-client.ts";
import type { QueueClient, RunParams } from "./queue-client.ts";

export interface Report {
  /** The queue with the run's newest credentials. */
  queue(): QueueClient;
  readonly run: RunParams;
  readonly resolution: Resolution;
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  /** Aborts when the report is no longer possible, or no longer needed. */
  readonly signal: AbortSignal;
}

const backoff = { baseMs: 100, maxMs: 10_000, jitter: 0.25 };

/** Reports a resolution. Never rejects. A retry after a lost reply is harmless: the queue accepts the same resolution twice. */
export async function report({ queue, run, resolution, clock, monitor, signal }: Report): Promise<void> {
  if (resolution.kind === "none") return;
  const send = (): Promise<unknown> => {
    if (resolution.kind === "completed") return queue().reportCompleted(run, { signal, retries: 0 });
    if (resolution.kind === "failed") return queue().reportFailed(run, { signal, retries: 0 });
    return queue().reportException(run, { reason: resolution.reason }, { signal, retries: 0 });
  };
  try {
    await retry({ signal, tries: Infinity, retryable: isTransient, delay: { clock, backoff } }, send);
    monitor.info("run resolved", { resolution });
  } catch (error) {
    // The run was resolved in another way before this call, usually by a cancellation at the last moment.
    if (refusalOf(error) === 409) monitor.info("the run is resolved already", { resolution });
    else if (signal.aborted) monitor.warn("gave up reporting a run", { resolution, err: error });
    else monitor.reportError(error, { resolution });
  }
}
