// Reading the artifact that a call is about.
import { ApiError } from "../../../../lib/errors.ts";
import type { QueueContext } from "../context.ts";
import { noTask } from "../tasks/find-task.ts";
import { readArtifact, readRunCount, type ArtifactId, type ArtifactRow } from "./store/read-artifacts.ts";

/** Reads the latest run of a task, whatever its state; throws `ResourceNotFound`. */
export async function requireLatestRun(ctx: QueueContext, taskId: string): Promise<number> {
  const runs = await readRunCount(ctx.db, taskId);
  if (runs === undefined) throw noTask(taskId);
  if (runs === 0)
    throw new ApiError(
      "ResourceNotFound",
      `Task ${taskId} has no run yet, and so no artifacts. Wait until a worker has claimed it.`,
    );
  return runs - 1;
}

/** Reads an artifact; throws `ResourceNotFound`, also if its upload is not finished. */
export async function requireArtifact(ctx: QueueContext, id: ArtifactId): Promise<ArtifactRow> {
  const artifact = await readArtifact(ctx.db, id);
  if (!artifact?.present) throw noSuchArtifact(id);
  return artifact;
}

export const noSuchArtifact = ({ taskId, runId, name }: ArtifactId): ApiError =>
  new ApiError(
    "ResourceNotFound",
    `Run ${runId} of task ${taskId} has no artifact "${name}": it was never created, or has expired. List those of the task (listLatestArtifacts), or rerun it.`,
  );

/** Returns the name of the object that holds the content of an artifact of type object. */
export const objectNameOf = ({ taskId, runId, name }: ArtifactId): string => `t/${taskId}/${runId}/${name}`;

/** Reads the upload id from the details of an artifact of type object, which createArtifact wrote. */
export const uploadIdOf = (details: string): string => (JSON.parse(details) as { uploadId: string }).uploadId;
