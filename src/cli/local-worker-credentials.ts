// The credentials of the local worker. Tasks may read its memory where they run as its user, so they allow nothing else.
import { LISTEN_SCOPE } from "../api/events.ts";
import type { Credentials } from "../client/signer.ts";
import { systemClock } from "../lib/clock.ts";
import type { WorkerSettings } from "../lib/worker-settings.ts";
import type * as Server from "../server/index.ts";

const DAY = 86_400_000;

/** Returns credentials with only the scopes that the worker needs. The worker gets new ones every day. */
export function localWorkerCredentials(
  sign: typeof Server.createTemporaryCredentials,
  issuer: { readonly clientId: string; readonly accessToken: string },
  { taskQueueId, workerGroup, workerId }: Pick<WorkerSettings, "taskQueueId" | "workerGroup" | "workerId">,
): Credentials {
  // Valid also on a clock that is set back a little.
  const start = systemClock.now() - 60_000;
  return sign({
    issuer,
    clientId: `local-worker/${workerGroup}/${workerId}`,
    scopes: [
      `queue:claim-work:${taskQueueId}`,
      `queue:worker-id:${workerGroup}/${workerId}`,
      "queue:status:*",
      LISTEN_SCOPE,
    ],
    start,
    // More than a day, for machines that were suspended.
    expiry: start + 30 * DAY,
  });
}
