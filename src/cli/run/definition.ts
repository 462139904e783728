// Builds the task definition of `taskyard run`.
import type { Priority, TaskDefinitionRequest } from "../../api/queue/task.ts";
import { failureReportExtra } from "../../worker/failure-report.ts";
import { failureReportArtifact } from "./read-failure-report.ts";
import { withoutTrailingSlashes } from "../../lib/trailing-slashes.ts";
import { localOwner } from "./local-owner.ts";

export interface RunRequest {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Paths in the task's folder. A trailing slash marks a folder. */
  readonly artifacts: readonly string[];
  readonly taskQueueId: string;
  readonly maxRunTime: number;
  readonly priority: Priority | undefined;
  readonly name: string | undefined;
  readonly rootUrl: string;
}

/** Additions to a task that runs in a folder which another task provides, see `source-task.ts`. */
export interface SourceMount {
  readonly dependencies: readonly string[];
  readonly taskGroupId: string;
  /** What the task needs to read the archive. */
  readonly scopes: readonly string[];
  /** In the form of generic-worker's payload. */
  readonly mounts: readonly {
    readonly content: { readonly taskId: string; readonly artifact: string };
    readonly directory: string;
    readonly format: "tar.gz";
  }[];
}

const day = 86_400_000;

/** Returns the definition, with a generic-worker payload. `now`: milliseconds since the epoch. */
export function runDefinition(
  request: RunRequest,
  now: number,
  source: SourceMount | undefined,
): TaskDefinitionRequest {
  const text = request.argv.join(" ");
  const at = (ms: number): string => new Date(now + ms).toISOString();
  return {
    taskQueueId: request.taskQueueId,
    ...(request.priority !== undefined && { priority: request.priority }),
    ...(source && {
      dependencies: [...source.dependencies],
      taskGroupId: source.taskGroupId,
      scopes: [...source.scopes],
    }),
    created: at(0),
    // A day to wait for a worker, plus the time that the command may run.
    deadline: at(day + request.maxRunTime * 1000),
    expires: at(28 * day),
    payload: {
      command: [request.argv],
      maxRunTime: request.maxRunTime,
      env: request.env,
      ...(source && { mounts: source.mounts }),
      ...(request.artifacts.length > 0 && { artifacts: request.artifacts.map(artifactEntry) }),
    },
    extra: failureReportExtra(failureReportArtifact),
    metadata: {
      name: truncate(request.name ?? text, 255),
      description: truncate(`\`${text}\`, created by taskyard run`, 32_768),
      owner: localOwner(),
      source: request.rootUrl,
    },
  };
}

/** Returns the artifact name for a path: below `public/`, without empty, `.` and `..` parts. */
export const artifactName = (path: string): string =>
  `public/${path
    .split("/")
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .join("/")}`;

/** Returns the payload entry for a path. A trailing slash marks a folder. */
export function artifactEntry(path: string): { type: string; path: string; name: string } {
  return {
    type: path.endsWith("/") ? "directory" : "file",
    path: withoutTrailingSlashes(path),
    name: artifactName(path),
  };
}

export const truncate = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
