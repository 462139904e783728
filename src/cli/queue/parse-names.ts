// Task queues and workers on the command line.
import { TASK_QUEUE_ID_PATTERN } from "../../api/queue/task.ts";
import { UsageError } from "../cli-error.ts";

export interface QueueName {
  readonly taskQueueId: string;
  readonly provisionerId: string;
  readonly workerType: string;
}

const queuePattern = new RegExp(TASK_QUEUE_ID_PATTERN);
const workerPattern = /^([a-zA-Z0-9_-]{1,38})\/([a-zA-Z0-9_-]{1,38})$/;

/** A task queue by its id. */
export function parseQueue(word: string = ""): QueueName {
  const [provisionerId = "", workerType = ""] = word.split("/");
  if (queuePattern.test(word)) return { taskQueueId: word, provisionerId, workerType };
  throw new UsageError(`${word}: a queue is written like local/default, the second half in lower case`);
}

/** A worker of a queue, as lists have it. */
export function parseWorker(word: string = ""): { readonly workerGroup: string; readonly workerId: string } {
  const [, workerGroup, workerId] = workerPattern.exec(word) ?? [];
  if (workerGroup !== undefined && workerId !== undefined) return { workerGroup, workerId };
  throw new UsageError(
    `${word}: a worker is written like local/host-1, its group and its id; \`taskyard queue workers QUEUE\` lists them`,
  );
}

/** How many rows to show at the most. */
export function parseLimit(word: string | undefined): number {
  const limit = Number(word ?? 50);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new UsageError(`--limit ${word ?? ""}: it is a whole number, 1 or more`);
}
