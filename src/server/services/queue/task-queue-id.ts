// A task queue is named by the ids of its provisioner and worker type, joined by a slash.
import { TASK_QUEUE_ID_PATTERN } from "../../../api/queue/task.ts";
import { ApiError } from "../../../lib/errors.ts";

export interface TaskQueueParts {
  readonly provisionerId: string;
  readonly workerType: string;
}

export function partsOf(taskQueueId: string): TaskQueueParts {
  const slash = taskQueueId.indexOf("/");
  return { provisionerId: taskQueueId.slice(0, slash), workerType: taskQueueId.slice(slash + 1) };
}

const pattern = new RegExp(TASK_QUEUE_ID_PATTERN);

/** Throws `InputError` unless it can be the queue of a task. Paths accept more. */
export function requireTaskQueueId(taskQueueId: string): void {
  if (!pattern.test(taskQueueId))
    throw new ApiError(
      "InputError",
      `${taskQueueId} is not a valid task queue: a worker type must consist of a-z, 0-9 and -, and begin with a letter.`,
    );
}
