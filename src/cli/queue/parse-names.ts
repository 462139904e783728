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

export interface WorkerName {
  readonly workerGroup: string;
  readonly workerId: string;
}

/** Splits the name of a worker. `lister` is the command that lists the names. */
export function parseWorker(word: string = "", lister: string = "queue workers QUEUE"): WorkerName {
  const [, workerGroup, workerId] = workerPattern.exec(word) ?? [];
  if (workerGroup !== undefined && workerId !== undefined) return { workerGroup, workerId };
  throw new UsageError(
    `${word}: must be a worker as GROUP/ID, such as local/host-1; \`taskyard ${lister}\` lists them`,
  );
}
