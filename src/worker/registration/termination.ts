// Requests from worker-manager whether the worker should terminate.
import type { Client } from "../../client/connect.ts";
import type { Clock } from "../../lib/clock.ts";
import { refusalOf } from "../queue-client.ts";
import { messageOf, type WorkerMonitor } from "../worker-monitor.ts";
import type { PoolWorker } from "./register.ts";

export interface TerminationOptions {
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  readonly pollMs: number;
  readonly worker: PoolWorker;
  /** A client with the newest credentials of the worker. */
  readonly client: () => Client;
  onTerminate(reason: string): void;
  /** Called if the credentials are not accepted. */
  onRefused(): void;
}

export interface TerminationWatch {
  /** Requests it now. Resolves to whether the worker must end. */
  check(): Promise<boolean>;
  stop(): void;
}

/** Requests it at the interval, until the worker must end. */
export function watchTermination(options: TerminationOptions): TerminationWatch {
  const { clock, monitor, worker, pollMs } = options;
  const stopped = new AbortController();
  let isTerminated = false;
  let cancel = (): void => undefined;

  async function check(): Promise<boolean> {
    if (isTerminated) return true;
    const reason = await reasonToTerminate();
    if (reason === undefined) return false;
    if (!isTerminated && !stopped.signal.aborted) {
      isTerminated = true;
      options.onTerminate(reason);
    }
    return true;
  }

  async function reasonToTerminate(): Promise<string | undefined> {
    try {
      const { workerManager } = options.client();
      const call = { retries: 0, signal: stopped.signal };
      const { terminate, reason } = await workerManager.shouldWorkerTerminate({ ...worker }, call);
      return terminate ? reason : undefined;
    } catch (error) {
      if (stopped.signal.aborted) return undefined;
      if (refusalOf(error) === 404) return "unknown worker";
      if (refusalOf(error) === 401) options.onRefused();
      else monitor.warn("could not request whether to terminate", { reason: messageOf(error) });
      return undefined;
    }
  }

  async function checkAndRepeat(): Promise<void> {
    if (!(await check()) && !stopped.signal.aborted) poll();
  }
  function poll(): void {
    cancel = clock.after(pollMs, () => void checkAndRepeat());
  }
  poll();
  return {
    check,
    stop() {
      stopped.abort();
      cancel();
    },
  };
}
