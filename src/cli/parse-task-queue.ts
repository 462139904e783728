// Parses the ids of task queues and worker pools on the command line and in graph files.
import { TASK_QUEUE_ID_PATTERN } from "../api/queue/task.ts";
import { UsageError } from "./cli-error.ts";

const pattern = new RegExp(TASK_QUEUE_ID_PATTERN);

export const isTaskQueueId = (word: string): boolean => pattern.test(word);

/** Returns the id. `where` begins the error message. */
export function parseTaskQueueId(word: string, where: string = word): string {
  if (isTaskQueueId(word)) return word;
  throw new UsageError(
    `${where}: must be a task queue such as local/default, with the second part in lower case`,
  );
}

/** Returns the id of a worker pool, which is that of the queue of its workers. */
export function parsePoolId(word: string = ""): string {
  if (isTaskQueueId(word)) return word;
  throw new UsageError(
    `${word}: must be a worker pool such as ci/linux, with the second part in lower case; \`taskyard pool list\` lists them`,
  );
}

/** Returns the queue that the option `--task-queue` names. Default: local/default. */
export const parseTaskQueueOption = (option: string | undefined): string =>
  option === undefined ? "local/default" : parseTaskQueueId(option, `--task-queue ${option}`);
