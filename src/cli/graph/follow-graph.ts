// Follows the tasks of a group by their events, across lost connections, until the graph is finished.
import { queueEvents } from "../../client/bindings.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Client } from "../../client/connect.ts";
import { paginate } from "../paginate.ts";
import type { TaskStatus } from "../../api/queue/status.ts";
import type { GraphTask } from "./graph-tasks.ts";
import type { GraphProgress, TaskProgress } from "./graph-progress.ts";
import { InternalError } from "../../lib/internal-error.ts";

export interface FollowedGraph {
  readonly client: Client;
  readonly taskGroupId: string;
  readonly progress: GraphProgress;
  /** Reports whether no more changes are expected. */
  isFinished(): boolean;
  /** Finds tasks that are not in `progress`. Without it, they are ignored. */
  readonly lookUp?: LookUp;
  /** Called when the state of a task has changed. */
  onChange(task: TaskProgress): void;
}

/** Returns the task with an id. */
export type LookUp = (taskId: string) => Promise<GraphTask>;

export type EventStream = Awaited<ReturnType<typeof listenToGroup>>;

/**
 * Opens the event stream of a group. Call it before the tasks are created or listed, so that no event is missed. With
 * `added`, the stream also has tasks that are defined later.
 */
export const listenToGroup = (
  client: Client,
  taskGroupId: string,
  signal: AbortSignal,
  { added }: { readonly added: boolean } = { added: false },
) =>
  client.events.listen(
    [
      ...(added ? [queueEvents.taskDefined({ taskGroupId })] : []),
      queueEvents.taskPending({ taskGroupId }),
      queueEvents.taskRunning({ taskGroupId }),
      queueEvents.taskCompleted({ taskGroupId }),
      queueEvents.taskFailed({ taskGroupId }),
      queueEvents.taskException({ taskGroupId }),
    ],
    { signal },
  );

/** Resolves when the graph is finished. */
export async function followGraph(
  { client, taskGroupId, progress, isFinished, lookUp, onChange }: FollowedGraph,
  events: EventStream,
  signal: AbortSignal,
): Promise<void> {
  const apply = async (status: TaskStatus): Promise<void> => {
    if (lookUp && !progress.of(status.taskId)) progress.add(await lookUp(status.taskId));
    const changed = progress.update(status);
    if (changed) onChange(changed);
  };
  for (let stream = events; !signal.aborted;) {
    try {
      if (isFinished()) return;
      for await (const { payload } of stream) {
        await apply(payload.status);
        if (isFinished()) return;
      }
      if (!signal.aborted) throw new InternalError("the event stream has ended");
    } catch (error) {
      // Disconnected for longer than the server keeps events.
      if (!(error instanceof ClientError) || error.code !== "EventsMissing") throw error;
      stream = await listenToGroup(client, taskGroupId, signal, { added: lookUp !== undefined });
      for await (const page of paginate((query) =>
        client.queue.listTaskGroup({ taskGroupId }, { query, signal }),
      ))
        for (const { status } of page.tasks) await apply(status);
    }
  }
}
