// Worker pools for tests.
import { randomBytes } from "node:crypto";
import type { PoolRequest } from "../../src/api/worker-manager/pools.ts";
import type { Stack } from "./stack.ts";

/** Returns a valid pool, with these differences. */
export const poolOf = (changes: Partial<PoolRequest> = {}): PoolRequest => ({
  providerId: "static",
  description: "A pool of a test.",
  config: {},
  owner: "owner@example.com",
  emailOnError: false,
  ...changes,
});

/** Returns a secret of a worker or pool. */
export const newSecret = (): string => randomBytes(33).toString("base64url");

/** Creates a pool of the provider `self`. Returns its secret and a function that registers a worker. */
export async function selfPool(
  { client, as }: Pick<Stack, "client" | "as">,
  workerPoolId: string,
  config: object = {},
) {
  const secret = newSecret();
  const pool = poolOf({ providerId: "self", config: { maxCapacity: 10, ...config } });
  await client.workerManager.createWorkerPool({ workerPoolId }, pool);
  await client.workerManager.setWorkerPoolSecrets({ workerPoolId }, { secrets: [secret] });
  const register = (workerId: string, poolSecret = secret, more: { readonly systemBootTime?: string } = {}) =>
    as(undefined).workerManager.registerWorker({
      workerPoolId,
      providerId: "self",
      workerGroup: "g",
      workerId,
      workerIdentityProof: { poolSecret },
      ...more,
    });
  return { secret, register, pool };
}
