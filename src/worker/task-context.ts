// What an engine and the plugins know of the task they serve: a view, without the power to end or change the run.
import type { Clock } from "../lib/clock.ts";
import type { ArtifactUploader } from "./artifact-upload.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import type { TaskDefinition } from "../api/queue/task.ts";
import type { TaskLog } from "./task-log.ts";

export interface TaskInfo {
  readonly taskId: string;
  readonly runId: number;
  readonly rootUrl: string;
  readonly taskQueueId: string;
  /** When the task and what it leaves behind is forgotten; ISO 8601, as are all times on the wire. */
  readonly expires: string;
  readonly definition: TaskDefinition;
}

export interface TaskContext {
  readonly info: TaskInfo;
  readonly log: TaskLog;
  readonly monitor: WorkerMonitor;
  readonly clock: Clock;
  /** Fires with an AbortedError as its reason when the run is stopped from outside. */
  readonly signal: AbortSignal;
  /** Creates artifacts of this run, always with the newest credentials. */
  readonly artifacts: ArtifactUploader;
  /** Names that no artifact of the payload may have. */
  readonly reservedArtifacts: ReadonlySet<string>;
  /** Where the commands run: an empty folder of the task's own. */
  readonly taskDir: string;
  /** A folder of the worker's for this run, outside of `taskDir`. */
  readonly controlDir: string;
}
