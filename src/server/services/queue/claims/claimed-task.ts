// A claimed run in replies, with the credentials by which its task acts and its worker reports.
import type { ClaimedTask, TaskCredentials } from "../../../../api/queue/claim.ts";
import { jsonObject, jsonOf, parseJson, type Json } from "../../../core/json.ts";
import { createTemporaryCredentials } from "../../auth/index.ts";
import type { QueueContext } from "../context.ts";
import type { ClaimedRow } from "./store/claimed-runs.ts";
import { taskClientId, type TaskClient } from "./task-client-id.ts";

type Signing = Pick<QueueContext, "issuer" | "clock">;

export interface Claim extends TaskClient {
  readonly takenUntil: Date;
}

/** Returns credentials that end with the claim: for the run, its artifacts, and what the task may do. */
export function claimCredentials(ctx: Signing, claim: Claim, taskScopes: readonly string[]): TaskCredentials {
  const { taskId, runId, takenUntil } = claim;
  const until = takenUntil.getTime();
  return createTemporaryCredentials({
    issuer: ctx.issuer,
    clientId: taskClientId(claim, until),
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

/** Writes a claimed task. Its status and definition are sent as the database wrote them. */
export function claimedTask(ctx: Signing, row: ClaimedRow): Json<ClaimedTask> {
  const { status, definition, run_id: runId, worker_group: workerGroup, worker_id: workerId } = row;
  const claim: Claim = {
    taskId: row.task_id,
    runId,
    workerGroup,
    workerId,
    takenUntil: row.taken_until,
  };
  return jsonObject({
    status,
    runId: jsonOf(runId),
    workerGroup: jsonOf(workerGroup),
    workerId: jsonOf(workerId),
    takenUntil: jsonOf(row.taken_until.toISOString()),
    task: definition,
    credentials: jsonOf(claimCredentials(ctx, claim, parseJson(definition).scopes)),
  });
}
