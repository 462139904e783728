// The task that `taskyard run` makes of a command line.
import { hostname, userInfo } from "node:os";
import type { Priority, TaskDefinitionRequest } from "../../api/queue/task.ts";
import { failureReportExtra } from "../../worker/failure-report.ts";
import { failureReportArtifact } from "./read-failure-report.ts";

export interface RunRequest {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Paths in the task's folder; one that ends in a slash is a folder. */
  readonly artifacts: readonly string[];
  readonly taskQueueId: string;
  readonly maxRunTime: number;
  readonly priority: Priority | undefined;
  readonly name: string | undefined;
  readonly rootUrl: string;
}

/** What another task hands to this one, see `source-task.ts`. */
export interface Preparation {
  readonly dependencies: readonly string[];
  readonly taskGroupId: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const day = 86_400_000;

/** The definition, in the form of generic-worker. `now`: milliseconds since the epoch. */
export function runDefinition(
  request: RunRequest,
  now: number,
  preparation: Preparation | undefined,
): TaskDefinitionRequest {
  const text = request.argv.join(" ");
  const at = (ms: number): string => new Date(now + ms).toISOString();
  return {
    taskQueueId: request.taskQueueId,
    ...(request.priority !== undefined && { priority: request.priority }),
    ...(preparation && {
      dependencies: [...preparation.dependencies],
      taskGroupId: preparation.taskGroupId,
    }),
    created: at(0),
    // Time to wait for a worker, and then the time that it may run.
    deadline: at(day + request.maxRunTime * 1000),
    expires: at(28 * day),
    payload: {
      command: [...(preparation ? [preparation.command] : []), request.argv],
      maxRunTime: request.maxRunTime,
      env: { ...request.env, ...preparation?.env },
      ...(request.artifacts.length > 0 && { artifacts: request.artifacts.map(artifactEntry) }),
    },
    extra: failureReportExtra(failureReportArtifact),
    metadata: {
      name: truncate(request.name ?? text, 255),
      description: truncate(`\`${text}\`, by taskyard run`, 32_768),
      owner: localOwner(),
      source: request.rootUrl,
    },
  };
}

/** The name of an artifact: below `public/`, without what leads out of the folder or to nowhere. */
export const artifactName = (path: string): string =>
  `public/${path
    .split("/")
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .join("/")}`;

/** The payload's entry of a path; one that ends in a slash is a folder. */
export function artifactEntry(path: string): { type: string; path: string; name: string } {
  return {
    type: path.endsWith("/") ? "directory" : "file",
    path: path.replace(/\/+$/, ""),
    name: artifactName(path),
  };
}

/** The user of this machine, in the form of a mail address. */
export const localOwner = (): string => truncate(`${userInfo().username}@${hostname()}`, 255);

export const truncate = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
