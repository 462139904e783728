// The methods of workers over HTTP: claims, and reports.
import type { claimEndpoints } from "../../../../api/queue/endpoints/claims.ts";
import { Reply } from "../../../core/http/replies.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import { jsonObject } from "../../../core/json.ts";
import type { ReportUseCases } from "../resolution/report-run.ts";
import { runIdOf } from "../tasks/find-task.ts";
import type { ClaimUseCases } from "./use-cases.ts";

/** Clients expect this of a worker in quarantine, although the schema of the reply says otherwise. */
const NO_CLAIM = new Reply(200, {}, { followsSchema: false });

export const claimHandlers = (queue: ClaimUseCases & ReportUseCases): HandlersOf<typeof claimEndpoints> => ({
  claimWork: ({ caller, params, body, closed }) =>
    queue.claimWork(caller, params.taskQueueId, body, closed()),
  // The run id is checked after the scopes, which need more than the path has.
  claimTask: async ({ caller, params, body }) =>
    (await queue.claimTask(caller, params.taskId, Number(params.runId), body)) ?? NO_CLAIM,
  reclaimTask: ({ caller, params }) => queue.reclaimTask(caller, params.taskId, runIdOf(params)),
  reportCompleted: async ({ caller, params, request }) => {
    // Old workers report failures in the body of this call, which has no schema.
    const body = request.body as { value?: { success?: unknown } } | undefined;
    const report = body?.value?.success === false ? queue.reportFailed : queue.reportCompleted;
    return jsonObject({ status: await report(caller, params.taskId, runIdOf(params)) });
  },
  reportFailed: async ({ caller, params }) =>
    jsonObject({ status: await queue.reportFailed(caller, params.taskId, runIdOf(params)) }),
  reportException: async ({ caller, params, body }) =>
    jsonObject({
      status: await queue.reportException(caller, params.taskId, runIdOf(params), body.reason),
    }),
});
