// Follows a task through all its runs until it is resolved.
import type { Run, TaskStatus } from "../../api/queue/status.ts";
import type { Client } from "../../client/connect.ts";
import { readLog } from "../log/read-log.ts";
import { isResolved, statusWhen, watchTask } from "../log/task-changes.ts";

export interface Follow {
  readonly client: Client;
  readonly taskId: string;
  /** Called when a run starts. The following bytes are its log. */
  onRun(runId: number): Promise<void>;
  onLog(bytes: Uint8Array): Promise<void>;
  /** Called when a log, or the rest of it, cannot be read now or was not saved. */
  onLogProblem(text: string): void;
}

/** Resolves to the final status of the task. */
export async function followTask(follow: Follow): Promise<TaskStatus> {
  const { client, taskId } = follow;
  const stop = new AbortController();
  const { signal } = stop;
  const changes = watchTask(client, taskId, signal);

  const until = (condition: (status: TaskStatus) => boolean): Promise<TaskStatus> =>
    statusWhen({ client, taskId, changes, signal }, condition);

  try {
    for (let runId = 0; ; runId++) {
      const begun = await until(({ runs, state }) => isResolved(state) || hasStarted(runs[runId]));
      if (hasStarted(begun.runs[runId])) {
        await follow.onRun(runId);
        const problems = { onUnreachable: follow.onLogProblem, onMissing: follow.onLogProblem };
        for await (const bytes of readLog({ client, taskId, runId, changes, signal, ...problems })) {
          await follow.onLog(bytes);
        }
      }
      const status = await until(({ runs }) => isResolved(runs[runId]?.state ?? "exception"));
      // If the queue retries a run, the next one exists as soon as this one is resolved.
      if (status.runs.length <= runId + 1 && isResolved(status.state)) return status;
    }
  } finally {
    stop.abort();
  }
}

const hasStarted = (run: Run | undefined): boolean => run?.started !== undefined;
