// The registration of a worker with a worker pool, from its start to its end: its credentials, and why the worker should end.
import { connect } from "../../client/connect.ts";
import { systemClock, waitingClock, type Clock } from "../../lib/clock.ts";
import type { RegistrationSettings } from "../../lib/registration-settings.ts";
import type { WorkerClient } from "../main.ts";
import { refusalOf } from "../queue-client.ts";
import { renewableClient } from "../renewable-client.ts";
import { logMonitor, messageOf, type Logger } from "../worker-monitor.ts";
import { register, type PoolWorker } from "./register.ts";
import { keepRegistered, untilRegistered, type Granted } from "./renewal.ts";
import { watchTermination } from "./termination.ts";

export interface RegistrationOptions {
  readonly rootUrl: string;
  readonly worker: PoolWorker;
  readonly providerId: RegistrationSettings["provider"];
  readonly secretFile: string;
  /** How often to request whether the worker should terminate, in ms. */
  readonly pollMs: number;
  readonly log: Logger;
  /** Ends the retries of the first registration. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** Why a registered worker should end. With an error, it cannot renew its credentials. */
export interface EndOfRegistration {
  readonly reason: string;
  readonly error?: Error;
}

export interface Registration {
  /** Calls the server with the credentials of the worker, which are renewed. */
  readonly client: WorkerClient;
  /** The config that the pool has for its workers. */
  readonly workerConfig: Readonly<Record<string, unknown>>;
  /** Resolves when the worker should run its tasks to their end and then end itself. The credentials are still renewed. */
  readonly ending: Promise<EndOfRegistration>;
  /** Ends the registration, and frees the place of the worker in its pool. Never rejects. */
  end(): Promise<void>;
}

// The worker has stopped, and its service manager waits.
const removalMs = 2000;

/**
 * Registers the worker. Retries while the server cannot be reached. Rejects with a `RegistrationError` if it refuses the
 * worker, and with the reason of the signal.
 */
export async function startRegistration(options: RegistrationOptions): Promise<Registration> {
  const { rootUrl, worker, providerId, pollMs, signal, clock = systemClock } = options;
  const monitor = logMonitor(options.log, { ...worker, providerId });
  const request = { ...options, anonymous: connect({ rootUrl }) };
  // Nothing else keeps the process alive while it waits.
  const waiting = { clock: options.clock ?? waitingClock, monitor, signal };
  const registered = await untilRegistered(waiting, () => register(request, signal));
  const { client, newest, renew } = renewableClient(rootUrl, registered.credentials);
  const report = (what: string, { credentials: { clientId }, expires }: Granted): void =>
    monitor.info(what, { clientId, expires });
  report("registered with the worker pool", registered);

  let settle: (end: EndOfRegistration) => void = () => undefined;
  const ending = new Promise<EndOfRegistration>((resolve) => (settle = resolve));
  let isLost = false;
  const termination = watchTermination({
    clock,
    monitor,
    pollMs,
    worker,
    client: newest,
    onTerminate: (reason) => settle({ reason: `worker-manager terminates the worker: ${reason}` }),
    onRefused: () => void renewal.refused(),
  });
  const renewal = keepRegistered({
    clock,
    monitor,
    granted: registered,
    reregister: (secret, signal) =>
      newest().workerManager.reregisterWorker({ ...worker, secret }, { retries: 0, signal }),
    register: (signal) => register(request, signal),
    mustTerminate: () => termination.check(),
    onGranted(granted) {
      renew(granted.credentials);
      report("renewed the credentials of the worker pool", granted);
    },
    onLost(error) {
      isLost = true;
      monitor.error("the registration with the worker pool is lost", { reason: error.message });
      settle({ reason: "its registration is lost", error });
    },
  });

  const claimWork: WorkerClient["queue"]["claimWork"] = async (...args) => {
    try {
      const reply = await client.queue.claimWork(...args);
      renewal.accepted();
      return reply;
    } catch (error) {
      if (refusalOf(error) !== 401 || !renewal.refused()) throw error;
      throw new Error("the credentials have expired: wait until they are renewed", { cause: error });
    }
  };
  return {
    client: { ...client, queue: { ...client.queue, claimWork } },
    workerConfig: registered.workerConfig,
    ending,
    async end() {
      renewal.stop();
      termination.stop();
      // An administrator has created the others, and only an administrator can create them again.
      if (isLost || providerId !== "self") return;
      try {
        await newest().workerManager.removeWorker({ ...worker }, { retries: 0, timeoutMs: removalMs });
      } catch (error) {
        monitor.warn("could not leave the worker pool; its place is free when the credentials have expired", {
          reason: messageOf(error),
        });
      }
    },
  };
}
