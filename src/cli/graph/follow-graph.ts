// Follows the tasks of a group by their events, across lost connections, until the graph is finished.
import { queueEvents } from "../../client/bindings.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Client } from "../../client/connect.ts";
import { paginate } from "../paginate.ts";
import type { GraphProgress, TaskProgress } from "./graph-progress.ts";

export interface FollowedGraph {
  readonly client: Client;
  readonly taskGroupId: string;
  readonly progress: GraphProgress;
  /** Reports whether no more changes are expected. */
  isFinished(): boolean;
  /** Called when the state of a task has changed. */
  onChange(task: TaskProgress): void;
}

type EventStream = Awaited<ReturnType<typeof listenToGroup>>;

/** Opens the event stream of a group. Call it before the tasks are created, so that no event is missed. */
export const listenToGroup = (client: Client, taskGroupId: string, signal: AbortSignal) =>
  client.events.listen(
    [
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
  { client, taskGroupId, progress, isFinished, onChange }: FollowedGraph,
  events: EventStream,
  signal: AbortSignal,
): Promise<void> {
  const apply = (status: Parameters<GraphProgress["update"]>[0]): void => {
    const changed = progress.update(status);
    if (changed) onChange(changed);
  };
  for (let stream = events; !signal.aborted;) {
    try {
      if (isFinished()) return;
      for await (const { payload } of stream) {
        apply(payload.status);
        if (isFinished()) return;
      }
      if (!signal.aborted) throw new Error("the event stream has ended");
    } catch (error) {
      // Disconnected for longer than the server keeps events.
      if (!(error instanceof ClientError) || error.code !== "EventsMissing") throw error;
      stream = await listenToGroup(client, taskGroupId, signal);
      for await (const page of paginate((query) =>
        client.queue.listTaskGroup({ taskGroupId }, { query, signal }),
      ))
        for (const { status } of page.tasks) apply(status);
    }
  }
}
