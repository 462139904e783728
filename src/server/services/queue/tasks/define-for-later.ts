// defineTask, of long ago: a task that waits for scheduleTask, since it depends on itself.
import type { taskEndpoints } from "../../../../api/queue/endpoints/tasks.ts";
import type { legacyEndpoints } from "../../../../api/queue/endpoints/legacy.ts";
import type { Handler } from "../../../core/http/serve.ts";

export function defineForLater(
  createTask: Handler<typeof taskEndpoints.createTask>,
): Handler<typeof legacyEndpoints.defineTask> {
  return (call) => {
    const dependencies = new Set([...(call.body.dependencies ?? []), call.params.taskId]);
    return createTask({ ...call, body: { ...call.body, dependencies: [...dependencies] } });
  };
}
