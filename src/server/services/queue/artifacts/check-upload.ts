// Refuses content for artifacts of runs that accept no more artifacts, although their upload URLs have not expired.
import { ApiError } from "../../../../lib/errors.ts";
import type { CheckUpload } from "../../../core/artifact-store/index.ts";
import type { QueueContext } from "../context.ts";
import { acceptsArtifacts, whenAccepted } from "./accepts-artifacts.ts";
import { readUploadTarget } from "./store/read-artifacts.ts";

/** Content may be uploaded as long as createArtifact would return another URL for it. */
export const checkUpload =
  (ctx: Pick<QueueContext, "db" | "clock" | "config">): CheckUpload =>
  async (key) => {
    if (!("taskId" in key)) return;
    const { taskId, runId, name } = key;
    const run = await readUploadTarget(ctx.db, key);
    if (!run)
      throw new ApiError(
        "AccessDenied",
        `This URL can no longer be used: artifact "${name}" of run ${runId} of task ${taskId} has expired. Nothing was stored. ` +
          `If its content is still needed, create a task for it.`,
      );
    const { state, resolved } = run;
    if (acceptsArtifacts(ctx, { state, resolved: resolved?.toISOString() })) return;
    throw new ApiError(
      "AccessDenied",
      `This URL can no longer be used: run ${runId} of task ${taskId} is ${state} since ${resolved?.toISOString() ?? "?"}. ` +
        `Content of its artifacts can be uploaded ${whenAccepted(ctx)}. Nothing was stored. ` +
        `Rerun the task if artifact "${name}" is needed.`,
    );
  };
