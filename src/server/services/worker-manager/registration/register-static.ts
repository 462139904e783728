// Registration of workers of the provider `static`, which an administrator created with a secret.
import type { IdentityProof } from "../../../../api/worker-manager/registration.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { WorkerManagerContext } from "../context.ts";
import { hasSecret } from "../workers/change-worker.ts";
import type { WorkerKey, WorkerRow } from "../workers/store/workers.ts";

/** Throws unless the worker runs and the proof has its secret. */
export async function checkStaticProof(
  ctx: Pick<WorkerManagerContext, "db" | "keyRing">,
  worker: WorkerKey,
  row: WorkerRow,
  proof: IdentityProof,
): Promise<void> {
  if (row.state !== "running")
    throw new ApiError(
      "InputError",
      "worker is not running: it was removed. Use another workerId, which an administrator creates with createWorker.",
    );
  if (!("staticSecret" in proof))
    throw new ApiError(
      "InputError",
      "missing staticSecret in workerIdentityProof: send the secret with which the worker was created.",
    );
  if (!(await hasSecret(ctx, worker, proof.staticSecret)))
    throw new ApiError(
      "InputError",
      "bad staticSecret in workerIdentityProof: send the secret with which the worker was created.",
    );
}
