// finishArtifact: an artifact of type object is uploaded, and from now on there to be read.
import type { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import type { QueueContext } from "../context.ts";
import { statusOf } from "../tasks/find-task.ts";
import { finishArtifact as finish, lockTask, readArtifact } from "./store.ts";
import { readTasks } from "../tasks/store/read-tasks.ts";
import { idOf } from "./find-artifact.ts";
import { objectNameOf, uploadIdOf } from "./object-artifact.ts";

/** Whatever the run's state: an upload may end after its run did. Repeated, it only announces the artifact again. */
export function finishArtifact(ctx: QueueContext): Handler<typeof artifactEndpoints.finishArtifact> {
  return async (call) => {
    const id = idOf(call.params);
    const { taskId, runId, name } = id;
    const artifact = await readArtifact(ctx.db, id);
    if (!artifact) throw missing(id);
    if (artifact.storage_type !== "object")
      throw new ApiError(
        "InputError",
        `Artifact "${name}" is of storage type ${artifact.storage_type}, and needs no finishing: only "object" does.`,
      );
    if (!artifact.present) {
      if (uploadIdOf(artifact.details) !== call.body.uploadId)
        throw new ApiError(
          "InputError",
          `uploadId ${call.body.uploadId} is not that of artifact "${name}": use the one that createArtifact answered.`,
        );
      if (!(await ctx.objects.isFinished(objectNameOf(id))))
        throw new ApiError(
          "InputError",
          `The upload of artifact "${name}" is not finished: call finishUpload of the object service first.`,
        );
    }
    // The lock keeps the event in the order of the task's others, and its status true.
    await ctx.db.tx(async (tx) => {
      await lockTask(tx, taskId);
      const [task] = await readTasks(tx, [taskId]);
      const { workerGroup, workerId } = (task && statusOf(task).runs[runId]) ?? {};
      if (!task || workerGroup === undefined || workerId === undefined) throw missing(id);
      await finish(tx, id, { workerGroup, workerId, status: task.status });
    });
  };
}

const missing = ({ taskId, runId, name }: ReturnType<typeof idOf>): ApiError =>
  new ApiError(
    "ResourceNotFound",
    `Run ${runId} of task ${taskId} has no artifact "${name}": it was never created, or has expired.`,
  );
