// Tells the queue how a run ended, until it has heard.
import type { Clock } from "../lib/clock.ts";
import { retry } from "../lib/retry.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import type { Resolution } from "./outcome.ts";
import { isPassing, refusalOf } from "./queue-client.ts";
import type { QueueClient, RunParams } from "./queue-client.ts";

export interface Report {
  /** The queue with the run's newest credentials. */
  queue(): QueueClient;
  readonly run: RunParams;
  readonly resolution: Resolution;
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  /** Fires when nobody can be told any more, or nobody needs to be. */
  readonly signal: AbortSignal;
}

const backoff = { baseMs: 100, maxMs: 10_000, jitter: 0.25 };

/** Never rejects. A repeat after a lost reply is harmless: the queue accepts the same resolution twice. */
export async function report({ queue, run, resolution, clock, monitor, signal }: Report): Promise<void> {
  if (resolution.kind === "none") return;
  const tell = (): Promise<unknown> => {
    if (resolution.kind === "completed") return queue().reportCompleted(run, { signal, retries: 0 });
    if (resolution.kind === "failed") return queue().reportFailed(run, { signal, retries: 0 });
    return queue().reportException(run, { reason: resolution.reason }, { signal, retries: 0 });
  };
  try {
    await retry({ signal, tries: Infinity, retryable: isPassing, delay: { clock, backoff } }, tell);
    monitor.info("run resolved", { resolution });
  } catch (error) {
    // The queue has resolved the run in another way meanwhile: a cancel that came at the last moment, mostly.
    if (refusalOf(error) === 409) monitor.info("the run is resolved already", { resolution });
    else if (signal.aborted) monitor.warn("gave up to report a run", { resolution, err: error });
    else monitor.reportError(error, { resolution });
  }
}
