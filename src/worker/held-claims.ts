// Keeps the claims of running runs in the worker's folder, so that a later worker with this folder can report the runs of one
// that was killed. Otherwise they would be running, for the queue, until their claims expire.
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Type from "typebox";
import { Compile } from "typebox/compile";
import { TaskCredentials } from "../api/queue/claim.ts";
import type { Clock } from "../lib/clock.ts";
import type { RunId } from "./engine.ts";
import { isRunning, ownIdentity, ProcessIdentity } from "./process-identity.ts";
import { readOwnFile } from "./read-own-file.ts";
import { isTransient } from "./queue-client.ts";
import type { QueueClient } from "./queue-client.ts";
import { messageOf } from "./worker-monitor.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import { makeFolder } from "../lib/make-folder.ts";

export interface HeldClaims {
  /** Returns the queue for one run. It stores the run's newest credentials, and removes them when the run is reported. */
  queueFor(run: RunId): QueueClient;
  /** Removes the credentials of a run: it is resolved, or no longer belongs to this worker. Never rejects. */
  release(run: RunId): Promise<void>;
  /** Stops looking for the claims of ended workers. */
  stop(): void;
}

export interface HeldClaimsOptions {
  readonly workDir: string;
  readonly queue: QueueClient;
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
}

const HeldClaim = Type.Object({
  taskId: Type.String(),
  runId: Type.Integer(),
  worker: ProcessIdentity,
  credentials: TaskCredentials,
});
const heldClaim = Compile(HeldClaim);

// How often to look for claims of workers that have ended. A worker that is killed with its server may live a little longer.
const intervalMs = 5000;

/** Stores the claims of this worker, and reports the runs of workers with the same folder that have ended. */
export async function holdClaims({ workDir, queue, clock, monitor }: HeldClaimsOptions): Promise<HeldClaims> {
  const folder = join(workDir, "claims");
  await makeFolder(folder, 0o700);
  const worker = ownIdentity();
  let writes = Promise.resolve();

  /** Changes files one after the other, so that an older change does not overwrite a newer one. */
  function change(write: () => Promise<void>): Promise<void> {
    writes = writes
      .then(write)
      .catch((error: unknown) => monitor.warn("a claim could not be stored", { reason: messageOf(error) }));
    return writes;
  }
  const fileOf = ({ taskId, runId }: RunId): string => join(folder, `${taskId}_${runId}.json`);
  const release = (run: RunId): Promise<void> => change(() => rm(fileOf(run), { force: true }));
  function hold(run: RunId, credentials: TaskCredentials): void {
    const content = { taskId: run.taskId, runId: run.runId, worker, credentials };
    void change(async () => {
      const temporary = `${fileOf(run)}.new`;
      await writeFile(temporary, JSON.stringify(content), { mode: 0o600 });
      await rename(temporary, fileOf(run));
    });
  }

  function queueFor(run: RunId): QueueClient {
    return {
      ...queue,
      withCredentials(credentials) {
        hold(run, credentials);
        return reporterFor(run, credentials);
      },
    };
  }
  /** Returns the queue with the credentials of a run, which are removed when the run is reported. */
  function reporterFor(run: RunId, credentials: TaskCredentials): QueueClient {
    const own = queue.withCredentials(credentials);
    return {
      ...own,
      reportCompleted: (...args) => releasing(run, own.reportCompleted(...args)),
      reportFailed: (...args) => releasing(run, own.reportFailed(...args)),
      reportException: (...args) => releasing(run, own.reportException(...args)),
    };
  }
  /** Removes the claim unless there was no reply: then the report may have to be repeated. */
  async function releasing<T>(run: RunId, report: Promise<T>): Promise<T> {
    try {
      const reply = await report;
      await release(run);
      return reply;
    } catch (error) {
      if (!isTransient(error)) await release(run);
      throw error;
    }
  }

  async function reportAbandoned(): Promise<void> {
    for (const name of await readdir(folder)) {
      const claim = await readClaim(join(folder, name));
      if (claim === undefined || isRunning(claim.worker)) continue;
      const { taskId, runId, credentials } = claim;
      monitor.info("reporting a run whose worker is gone", { taskId, runId });
      // The file stays that of the ended worker, so that a report without a reply is repeated.
      await reporterFor(claim, credentials)
        .reportException({ taskId, runId: String(runId) }, { reason: "worker-shutdown" }, { retries: 0 })
        .catch((error: unknown) =>
          monitor.info("the run could not be reported", { taskId, runId, reason: messageOf(error) }),
        );
    }
  }
  let cancel = (): void => undefined;
  let isStopped = false;
  async function repeat(): Promise<void> {
    await reportAbandoned().catch((error: unknown) => void monitor.reportError(error, { folder }));
    if (!isStopped) cancel = clock.after(intervalMs, () => void repeat());
  }
  void repeat();
  return {
    queueFor,
    release,
    stop() {
      isStopped = true;
      cancel();
    },
  };
}

async function readClaim(path: string) {
  try {
    const content: unknown = JSON.parse(await readOwnFile(path));
    return heldClaim.Check(content) ? content : undefined;
  } catch {
    // It was removed meanwhile, or its worker was killed while it wrote it.
    return undefined;
  }
}
