// A task queue is named by the ids of its provisioner and worker type, joined by a slash.

export interface TaskQueueParts {
  readonly provisionerId: string;
  readonly workerType: string;
}

export function partsOf(taskQueueId: string): TaskQueueParts {
  const slash = taskQueueId.indexOf("/");
  return { provisionerId: taskQueueId.slice(0, slash), workerType: taskQueueId.slice(slash + 1) };
}
