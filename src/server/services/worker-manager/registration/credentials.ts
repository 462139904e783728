// The credentials of a registered worker.
import { createHash, randomBytes } from "node:crypto";
import { DEFAULT_REREGISTRATION_TIMEOUT } from "../../../../api/worker-manager/provider-configs.ts";
import type { Granted } from "../../../../api/worker-manager/registration.ts";
import { createTemporaryCredentials } from "../../auth/index.ts";
import { parseJson } from "../../../core/json.ts";
import type { WorkerManagerContext } from "../context.ts";
import type { PoolRow } from "../pools/store/pools.ts";
import type { WorkerKey } from "../workers/store/workers.ts";

/** Clocks of workers may be late. */
const EARLIER_MS = 15 * 60_000;

/** The scopes that the client of this service needs, so that the credentials of any worker are valid. */
export const issuerScopes = [
  "auth:create-client:worker/*",
  "assume:worker-type:*",
  "assume:worker-pool:*",
  "assume:worker-id:*",
  "queue:worker-id:*",
  "secrets:get:worker-type:*",
  "secrets:get:worker-pool:*",
  "queue:claim-work:*",
  "worker-manager:remove-worker:*",
  "worker-manager:reregister-worker:*",
  "worker-manager:should-worker-terminate:*",
] as const;

/** Returns a new secret with which a worker registers again: 44 characters. */
const newSecret = (): string => randomBytes(33).toString("base64url");

/** Returns what is stored of a secret. The secret is random, so nobody can guess it from the digest. */
export const digestOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** Returns credentials for a worker, and the secret with which it registers again. */
export function grant(
  { clock, issuer }: Pick<WorkerManagerContext, "clock" | "issuer">,
  worker: WorkerKey & { readonly providerId: string },
  pool: Pick<PoolRow, "definition">,
): Granted {
  const { workerPoolId, workerGroup, workerId, providerId } = worker;
  const id = `${workerGroup}/${workerId}`;
  const now = clock.now();
  const expiry = now + timeoutSeconds(pool) * 1000;
  const credentials = createTemporaryCredentials({
    issuer,
    clientId: `worker/${providerId}/${workerPoolId}/${id}`,
    scopes: [
      `assume:worker-type:${workerPoolId}`,
      `assume:worker-pool:${workerPoolId}`,
      `assume:worker-id:${id}`,
      `queue:worker-id:${id}`,
      `secrets:get:worker-type:${workerPoolId}`,
      `secrets:get:worker-pool:${workerPoolId}`,
      `queue:claim-work:${workerPoolId}`,
      `worker-manager:remove-worker:${workerPoolId}/${id}`,
      `worker-manager:reregister-worker:${workerPoolId}/${id}`,
      `worker-manager:should-worker-terminate:${workerPoolId}/${id}`,
    ],
    start: now - EARLIER_MS,
    expiry,
  });
  return { expires: new Date(expiry).toISOString(), credentials, secret: newSecret() };
}

function timeoutSeconds({ definition }: Pick<PoolRow, "definition">): number {
  // The configs of all providers whose workers register have this member in common. It may have been written for another
  // provider, which accepts anything.
  const { lifecycle } = parseJson(definition).config as {
    readonly lifecycle?: { readonly reregistrationTimeout?: number };
  };
  return lifecycle?.reregistrationTimeout ?? DEFAULT_REREGISTRATION_TIMEOUT;
}
