// Follows the tasks of a group by its events, through lost connections, to the end.
import { ClientError } from "../../client/client-error.ts";
import { queueEvents } from "../../client/bindings.ts";
import type { Client } from "../../client/connect.ts";
import { paginate } from "../paginate.ts";
import type { GraphProgress, TaskProgress } from "./graph-progress.ts";

export interface FollowedGraph {
  readonly client: Client;
  readonly taskGroupId: string;
  readonly progress: GraphProgress;
  /** Whether nothing more will happen. */
  isOver(): boolean;
  /** A task has another state. */
  onChange(task: TaskProgress): void;
}

type Listening = Awaited<ReturnType<typeof listenTo>>;

/** Begins to listen: before the tasks are created, so that nothing is missed. */
export const listenTo = (client: Client, taskGroupId: string, signal: AbortSignal) =>
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

/** Resolves when nothing more will happen. */
export async function followGraph(
  { client, taskGroupId, progress, isOver, onChange }: FollowedGraph,
  listening: Listening,
  signal: AbortSignal,
): Promise<void> {
  const take = (status: Parameters<GraphProgress["update"]>[0]): void => {
    const changed = progress.update(status);
    if (changed) onChange(changed);
  };
  for (let stream = listening; !signal.aborted;) {
    try {
      if (isOver()) return;
      for await (const { payload } of stream) {
        take(payload.status);
        if (isOver()) return;
      }
      if (!signal.aborted) throw new Error("the stream of events has ended");
    } catch (error) {
      // We were away for longer than events are kept.
      if (!(error instanceof ClientError) || error.code !== "EventsMissing") throw error;
      stream = await listenTo(client, taskGroupId, signal);
      for await (const page of paginate((query) =>
        client.queue.listTaskGroup({ taskGroupId }, { query, signal }),
      ))
        for (const { status } of page.tasks) take(status);
    }
  }
}
