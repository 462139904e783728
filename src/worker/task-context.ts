// The view of a run that engines and plugins get. They cannot end or change the run with it.
import type { Clock } from "../lib/clock.ts";
import type { ArtifactDownloader } from "./artifact-download.ts";
import type { ArtifactUploader } from "./artifact-upload.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import type { TaskDefinition } from "../api/queue/task.ts";
import type { TaskLog } from "./task-log.ts";

export interface TaskInfo {
  readonly taskId: string;
  readonly runId: number;
  readonly rootUrl: string;
  readonly taskQueueId: string;
  /** When the task and its artifacts expire, in ISO 8601 format. */
  readonly expires: string;
  readonly definition: TaskDefinition;
}

export interface TaskContext {
  readonly info: TaskInfo;
  readonly log: TaskLog;
  readonly monitor: WorkerMonitor;
  readonly clock: Clock;
  /** Aborts with an AbortedError as its reason when the run is stopped from outside. */
  readonly signal: AbortSignal;
  /** Creates artifacts of this run with the newest credentials. */
  readonly artifacts: ArtifactUploader;
  /** Reads artifacts of other tasks with the newest credentials of the run, which have the scopes of the task. */
  readonly downloads: ArtifactDownloader;
  /** Artifact names that the payload must not use. */
  readonly reservedArtifacts: ReadonlySet<string>;
  /** The working directory of the commands, empty at first. */
  readonly taskDir: string;
  /** The task's own folders for HOME and for temporary files, beside `taskDir`. */
  readonly homeDir: string;
  readonly tempDir: string;
  /** The worker's folder for this run, out of the task's reach where it runs as a separate user. */
  readonly controlDir: string;
}
