// Finding the artifact that a call is about.
import { ApiError } from "../../../../lib/errors.ts";
import type { QueueContext } from "../context.ts";
import { readArtifact, readRunCount, type ArtifactId, type ArtifactRow } from "./store.ts";

/** No task has so many runs: a larger number, which the path allows, finds nothing instead of an overflow. */
const MAX_RUN_ID = 32_767;

/** The run that a path means. */
export const runIdOf = (text: string): number => Math.min(Number(text), MAX_RUN_ID);

export const idOf = (params: Readonly<Record<"taskId" | "runId" | "name", string>>): ArtifactId => ({
  taskId: params.taskId,
  runId: runIdOf(params.runId),
  name: params.name,
});

/** The latest run of a task, whatever its state; `ResourceNotFound` where there is none. */
export async function requireLatestRun(ctx: QueueContext, taskId: string): Promise<number> {
  const runs = await readRunCount(ctx.db, taskId);
  if (runs === undefined)
    throw new ApiError(
      "ResourceNotFound",
      `Task ${taskId} does not exist: it was never created here, or has expired.`,
    );
  if (runs === 0)
    throw new ApiError("ResourceNotFound", `Task ${taskId} has no run yet, and so no artifacts.`);
  return runs - 1;
}

/** The artifact, or `ResourceNotFound`. One whose upload is announced but not complete is not there yet. */
export async function requireArtifact(ctx: QueueContext, id: ArtifactId): Promise<ArtifactRow> {
  const artifact = await readArtifact(ctx.db, id);
  if (!artifact?.present)
    throw new ApiError(
      "ResourceNotFound",
      `Run ${id.runId} of task ${id.taskId} has no artifact "${id.name}": it was never created, or has expired.`,
    );
  return artifact;
}
