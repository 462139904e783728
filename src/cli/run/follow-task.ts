// Follows a task through all of its runs to its end.
import type { TaskStatus } from "../../api/queue/status.ts";
import type { Client } from "../../client/connect.ts";
import { patientRetries, readLog } from "../log/read-log.ts";
import { watchTask } from "../log/task-changes.ts";

export interface Follow {
  readonly client: Client;
  readonly taskId: string;
  /** A run has begun; the bytes that come next are its log. */
  onRun(runId: number): Promise<void>;
  onLog(bytes: Uint8Array): Promise<void>;
}

/** Resolves to the status with which the task ended. */
export async function followTask(follow: Follow): Promise<TaskStatus> {
  const { client, taskId } = follow;
  const stop = new AbortController();
  const { signal } = stop;
  const watch = watchTask(client, taskId, signal);

  /** Waits until what is asked is true of the task. */
  async function until(holds: (status: TaskStatus) => boolean): Promise<TaskStatus> {
    for (;;) {
      const { seen } = watch;
      const { status } = await client.queue.status({ taskId }, { signal, retries: patientRetries });
      if (holds(status)) return status;
      await watch.since(seen);
    }
  }

  try {
    for (let runId = 0; ; runId++) {
      const begun = await until(({ runs, state }) => isResolved(state) || hasBegun(runs[runId]?.state));
      if (hasBegun(begun.runs[runId]?.state)) {
        await follow.onRun(runId);
        for await (const bytes of readLog({ client, taskId, runId, watch, signal })) {
          await follow.onLog(bytes);
        }
      }
      const status = await until(({ runs }) => isResolved(runs[runId]?.state ?? "exception"));
      // Where a run is to be repeated, the next one is there as soon as this one is over.
      if (status.runs.length <= runId + 1 && isResolved(status.state)) return status;
    }
  } finally {
    stop.abort();
  }
}

const isResolved = (state: string): boolean => ["completed", "failed", "exception"].includes(state);
const hasBegun = (state: string | undefined): boolean => state !== undefined && state !== "pending";
