// A claimed run as the worker gets it, with the credentials that let its task act and its worker report.
import { createTemporaryCredentials } from "../../auth/index.ts";
import type { TaskCredentials } from "../../../../api/queue/claim.ts";
import type { QueueContext } from "../context.ts";
import type { ClaimedRow } from "./store.ts";

export interface Claim {
  readonly taskId: string;
  readonly runId: number;
  readonly workerGroup: string;
  readonly workerId: string;
  readonly takenUntil: Date;
}

/** Credentials that end with the claim: for reporting the run, for its artifacts, and for what the task may do. */
export function claimCredentials(
  ctx: Pick<QueueContext, "issuer" | "clock">,
  claim: Claim,
  taskScopes: readonly string[],
): TaskCredentials {
  const { taskId, runId, workerGroup, workerId, takenUntil } = claim;
  const until = takenUntil.getTime();
  return createTemporaryCredentials({
    issuer: ctx.issuer,
    clientId: `task-client/${taskId}/${runId}/on/${workerGroup}/${workerId}/until/${until / 1000}`,
    scopes: [
      `queue:reclaim-task:${taskId}/${runId}`,
      `queue:resolve-task:${taskId}/${runId}`,
      `queue:create-artifact:${taskId}/${runId}`,
      ...taskScopes,
    ],
    start: ctx.clock.now(),
    expiry: until,
  });
}

/** The scopes of a definition that passed its schema when it was created. */
export const scopesOf = (definition: string): string[] =>
  (JSON.parse(definition) as { scopes: string[] }).scopes;

/** JSON text of a claimed task. Status and definition come as text from the database and go on as they are. */
export function claimedTaskJson(ctx: Pick<QueueContext, "issuer" | "clock">, row: ClaimedRow): string {
  const claim: Claim = {
    taskId: row.task_id,
    runId: row.run_id,
    workerGroup: row.worker_group,
    workerId: row.worker_id,
    takenUntil: row.taken_until,
  };
  const credentials = claimCredentials(ctx, claim, scopesOf(row.definition));
  return (
    `{"status":${row.status},"runId":${row.run_id},"workerGroup":"${row.worker_group}",` +
    `"workerId":"${row.worker_id}","takenUntil":"${row.taken_until.toISOString()}",` +
    `"task":${row.definition},"credentials":${JSON.stringify(credentials)}}`
  );
}
