// Parses the arguments of the queue commands.
import { UsageError } from "../cli-error.ts";
import { parseTaskQueueId } from "../parse-task-queue.ts";

export interface QueueName {
  readonly taskQueueId: string;
  readonly provisionerId: string;
  readonly workerType: string;
}

const workerPattern = /^([a-zA-Z0-9_-]{1,38})\/([a-zA-Z0-9_-]{1,38})$/;

/** Splits a task queue id into its parts. */
export function parseQueue(word: string = ""): QueueName {
  const taskQueueId = parseTaskQueueId(word);
  const [provisionerId = "", workerType = ""] = taskQueueId.split("/");
  return { taskQueueId, provisionerId, workerType };
}

/** Splits the name of a worker, as `queue workers` lists it. */
export function parseWorker(word: string = ""): { readonly workerGroup: string; readonly workerId: string } {
  const [, workerGroup, workerId] = workerPattern.exec(word) ?? [];
  if (workerGroup !== undefined && workerId !== undefined) return { workerGroup, workerId };
  throw new UsageError(
    `${word}: must be a worker as GROUP/ID, such as local/host-1; \`taskyard queue workers QUEUE\` lists them`,
  );
}
