// Registration of workers of the provider `static`, which an administrator created with a secret.
import type { IdentityProof } from "../../../../api/worker-manager/registration.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { WorkerManagerContext } from "../context.ts";
import { hasSecret } from "../workers/change-worker.ts";
import { readWorker, type WorkerKey } from "../workers/store/workers.ts";
import { unknownWorker } from "../workers/worker-reply.ts";
import { expiredWorker } from "./refusals.ts";

/** Throws unless there is such a worker and the proof has its secret, with the same error in both cases. */
export async function checkStaticSecret(
  ctx: Pick<WorkerManagerContext, "db" | "keyRing">,
  worker: WorkerKey,
  proof: IdentityProof,
): Promise<void> {
  if (!("staticSecret" in proof))
    throw new ApiError(
      "InputError",
      "missing staticSecret in workerIdentityProof: send the secret with which the worker was created.",
    );
  if (!(await hasSecret(ctx, worker, proof.staticSecret)))
    throw new ApiError(
      "InputError",
      "bad staticSecret in workerIdentityProof: send the secret with which createWorker created the worker, and its workerPoolId, workerGroup and workerId.",
    );
}

/** Throws unless the worker, which has proved its identity, runs. */
export async function requireRunning(
  { db, clock }: Pick<WorkerManagerContext, "db" | "clock">,
  worker: WorkerKey,
): Promise<void> {
  const row = await readWorker(db, worker);
  if (row === undefined) throw unknownWorker(worker);
  if (row.expires.getTime() < clock.now()) throw expiredWorker();
  if (row.state !== "running")
    throw new ApiError(
      "InputError",
      "worker is not running: it was removed. Use another workerId, which an administrator creates with createWorker.",
    );
}
