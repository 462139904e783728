// Registers a worker with a worker pool, by the secret in a file.
import type { Client } from "../../client/connect.ts";
import type { ReplyOf } from "../../api/endpoint.ts";
import type { workerManagerApi } from "../../api/worker-manager/index.ts";
import { isTransient, refusalOf } from "../queue-client.ts";
import { messageOf } from "../worker-monitor.ts";
import { readSecretFile } from "./secret-file.ts";

/** The worker as worker-manager identifies it. */
export interface PoolWorker {
  readonly workerPoolId: string;
  readonly workerGroup: string;
  readonly workerId: string;
}

export interface RegisterOptions {
  /** A client without credentials. */
  readonly anonymous: Client;
  readonly worker: PoolWorker;
  readonly providerId: "self" | "static";
  /** The file with the secret of the pool, or of the worker for the provider `static`. Read for each registration. */
  readonly secretFile: string;
}

export type Registered = ReplyOf<typeof workerManagerApi.endpoints.registerWorker>;

/** A registration that will fail again until somebody changes something. The message says what. */
export class RegistrationError extends Error {
  override readonly name = "RegistrationError";
}

/** Registers the worker, by one request. Rejects with a `RegistrationError`, or with an error after which a retry may succeed. */
export async function register(options: RegisterOptions, signal: AbortSignal): Promise<Registered> {
  const { anonymous, worker, providerId, secretFile } = options;
  const secret = await readSecretFile(secretFile).catch((error: unknown) => {
    // oxlint-disable-next-line messages/next-step -- readSecretFile names it
    throw new RegistrationError(messageOf(error), { cause: error });
  });
  const workerIdentityProof = providerId === "self" ? { poolSecret: secret } : { staticSecret: secret };
  try {
    return await anonymous.workerManager.registerWorker(
      { ...worker, providerId, workerIdentityProof },
      { retries: 0, signal },
    );
  } catch (error) {
    if (isTransient(error)) throw error;
    throw new RegistrationError(refusalText(options, error), { cause: error });
  }
}

function refusalText({ anonymous, worker, providerId, secretFile }: RegisterOptions, error: unknown): string {
  const { workerPoolId, workerGroup, workerId } = worker;
  // The server does not say whether there is such a pool, unless the secret is right.
  const hint =
    refusalOf(error) === 400
      ? ` Check --pool, --provider (${providerId}) and the secret in ${secretFile}.`
      : "";
  return `${anonymous.rootUrl} does not register ${workerGroup}/${workerId} for the pool ${workerPoolId}: ${messageOf(error)}${hint}`;
}
