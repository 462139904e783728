// Waits for the end of a worker, and passes signals on to it.
import { CliError, exitStatus } from "../cli-error.ts";
import type { Worker } from "../../worker/main.ts";
import type { Io } from "../io.ts";
import { statusOfStop, type StopRequest } from "../stop-request.ts";

/** Returns the exit status when the worker has stopped. Throws a `CliError` if it did so because of a failure. */
export async function statusOfWorker(worker: Worker, shutdown: StopRequest, io: Io): Promise<number> {
  void shutdown.requested.then((signal) => worker.stop(signal));
  const ignoreDrain = io.onDrain(() => void worker.drain("SIGUSR2"));
  const failure = await worker.done;
  ignoreDrain();
  shutdown.dispose();
  // oxlint-disable-next-line messages/next-step -- the worker names it
  if (failure !== undefined) throw new CliError(failure.message, { cause: failure });
  return shutdown.signal.aborted ? statusOfStop(await shutdown.requested, true) : exitStatus.ok;
}
