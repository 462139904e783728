// The options of `taskyard run`, checked.
import { TASK_QUEUE_ID_PATTERN, type Priority } from "../../api/queue/task.ts";
import { parseDuration } from "../../lib/duration.ts";
import { messageOf, UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { parsePriority } from "../parse-priority.ts";

/** `K=V`, or `K` alone for the value that it has here. */
export function readVariables(options: readonly string[], env: Io["env"]): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const option of options) {
    const at = option.indexOf("=");
    const name = at < 0 ? option : option.slice(0, at);
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new UsageError(`--env ${option}: write NAME=VALUE`);
    const value = at < 0 ? env[name] : option.slice(at + 1);
    if (value === undefined) throw new UsageError(`--env ${name}: it is not set here; write ${name}=VALUE`);
    variables[name] = value;
  }
  return variables;
}

/** Seconds, of `600` or `10m`. */
export function parseSeconds(option: string): number {
  try {
    const seconds = /^\d+$/.test(option) ? Number(option) : Math.ceil(parseDuration(option) / 1000);
    if (seconds > 0) return seconds;
  } catch (error) {
    throw new UsageError(`--max-run-time ${option} ${messageOf(error)}`, { cause: error });
  }
  throw new UsageError(`--max-run-time ${option} is too short: a second is the least`);
}

export const parsePriorityOption = (option: string | undefined): Priority | undefined =>
  option === undefined ? undefined : parsePriority(option, `--priority ${option}`);

export const isTaskQueueId = (word: string): boolean => new RegExp(TASK_QUEUE_ID_PATTERN).test(word);

export function parseTaskQueueId(option: string): string {
  if (isTaskQueueId(option)) return option;
  throw new UsageError(
    `--task-queue ${option}: a queue is written like local/default, the second half in lower case`,
  );
}

/** Paths of artifacts, which must stay within the task's folder. */
export function parsePaths(options: readonly string[]): readonly string[] {
  for (const path of options) {
    if (path.split("/").includes("..") || path.replaceAll(/[./]/g, "") === "") {
      throw new UsageError(
        `--artifact ${path}: name a file, or a folder with / at its end, within the task's folder`,
      );
    }
  }
  return options;
}
