// finishArtifact: publishes an artifact of type object once it is uploaded.
import { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson } from "../../../core/json.ts";
import type { QueueContext } from "../context.ts";
import { readTasks } from "../tasks/store/read-tasks.ts";
import { noSuchArtifact, objectNameOf, uploadIdOf } from "./find-artifact.ts";
import { readArtifact, type ArtifactId } from "./store/read-artifacts.ts";
import { finishArtifact as finish, lockTask } from "./store/write-artifact.ts";

/** Possible in every state of the run: an upload may end after it. A repeated call only publishes the event again. */
export const finishArtifact =
  (ctx: QueueContext) =>
  async (caller: Caller, id: ArtifactId, uploadId: string): Promise<undefined> => {
    const { taskId, runId, name } = id;
    caller.authorize(artifactEndpoints.finishArtifact, { taskId, runId });
    const artifact = await readArtifact(ctx.db, id);
    if (!artifact) throw noSuchArtifact(id);
    if (artifact.storage_type !== "object")
      throw new ApiError(
        "InputError",
        `Artifact "${name}" is of storage type ${artifact.storage_type}, and needs no finishing: only "object" does.`,
      );
    if (!artifact.present) {
      if (uploadIdOf(artifact.details) !== uploadId)
        throw new ApiError(
          "InputError",
          `uploadId ${uploadId} is not that of artifact "${name}": use the one that createArtifact returned.`,
        );
      if (!(await ctx.objects.isFinished(objectNameOf(id))))
        throw new ApiError(
          "InputError",
          `The upload of artifact "${name}" is not finished: call finishUpload of the object service first.`,
        );
    }
    // The lock keeps the event in order with the other events of the task, and its status up to date.
    await ctx.db.tx(async (tx) => {
      await lockTask(tx, taskId);
      const [task] = await readTasks(tx, [taskId]);
      const { workerGroup, workerId } = (task && parseJson(task.status).runs[runId]) ?? {};
      if (!task || workerGroup === undefined || workerId === undefined) throw noSuchArtifact(id);
      await finish(tx, id, { workerGroup, workerId, status: task.status });
    });
  };
