// The queue's face: its handlers and its loops. Nothing else of this folder is used from outside.
import type { queueApi } from "../../../api/queue/index.ts";
import type { ConsumerOptions } from "../../core/event-log/index.ts";
import type { Handlers } from "../../core/http/serve.ts";
import { artifactHandlers, expireArtifacts } from "./artifacts/index.ts";
import { builtInTopics, runBuiltInTasks } from "./claims/built-in-workers.ts";
import { taskHandlers, taskUseCases } from "./tasks/index.ts";
import { cancelTaskGroup } from "./groups/cancel-task-group.ts";
import {
  changeTaskGroupPriority,
  changeTaskPriority,
  createReprioritizer,
} from "./priorities/change-priority.ts";
import { createClaimDispatcher } from "./claims/claim-dispatcher.ts";
import { claimHandlers, claimUseCases } from "./claims/index.ts";
import type { QueueContext } from "./context.ts";
import { expireTaskGroups, expireTasks } from "./expiry/expire-tasks.ts";
import { createTasks } from "./graph/create-tasks.ts";
import { taskGroupTimeline } from "./graph/timeline.ts";
import { endExpiredClaims, endPastDeadline, type Round } from "./resolution/end-overdue.ts";
import { getTaskGroup, listTaskGroup } from "./groups/read-group.ts";
import { createQueueHeads } from "./claims/queue-heads.ts";
import { releaseDependents, unfinishedTopic } from "./resolution/release-dependents.ts";
import { reportUseCases } from "./resolution/report-run.ts";
import { createResolver } from "./resolution/end-runs.ts";
import { readLastSeen } from "./workers/store/queue-activity.ts";
import { workerRemovedConsumer } from "./workers/worker-removed.ts";
import {
  createWorkerActivity,
  expireWorkers,
  refreshGauges,
  workerMetadataHandlers,
} from "./workers/index.ts";
import { sealTaskGroup } from "./groups/seal-task-group.ts";
import { queueActivity } from "./workers/queue-activity.ts";
import { listFindings } from "./watchdog/list-findings.ts";
import { watchdog } from "./watchdog/watchdog.ts";
import { why } from "./why/why.ts";

export type { QueueContext } from "./context.ts";

export interface Queue {
  readonly handlers: Omit<Handlers<typeof queueApi>, "ping" | "lbheartbeat" | "version" | "heartbeat">;
  /** By name. Any number of processes may run them. */
  readonly loops: Readonly<Record<string, Round>>;
  /** Wake-up topics of the loops that have some, by name; the others look in their interval. */
  readonly wakeTopics: Readonly<Record<string, readonly string[]>>;
  /** What it does about events of others; wherever the loops run. */
  readonly consumers: readonly ConsumerOptions[];
  /** When a worker was last seen by any process, in milliseconds since the epoch; the built-in ones are none. */
  workerSeen(): Promise<number | undefined>;
  /** Sends waiting workers home, so that their connections can end. */
  stop(): void;
  /** Writes what is only noted. For the end, when all calls are answered and the database is still there. */
  writeNotes(): Promise<void>;
}

export function createQueue(ctx: QueueContext): Queue {
  const heads = createQueueHeads(ctx);
  const dispatcher = createClaimDispatcher(ctx, heads);
  const activity = createWorkerActivity(ctx);
  const resolve = createResolver(ctx);
  const reprioritize = createReprioritizer(ctx);
  const useCases = {
    ...taskUseCases(ctx),
    ...claimUseCases(ctx, dispatcher, activity),
    ...reportUseCases(ctx, resolve),
  };
  return {
    handlers: {
      ...taskHandlers(useCases),
      why: why({ ...ctx, activity: (taskQueueId) => queueActivity(ctx, activity, taskQueueId) }),
      watchdog: listFindings(ctx),
      getTaskGroup: ({ caller, params }) => getTaskGroup(ctx)(caller, params.taskGroupId),
      listTaskGroup: ({ caller, params, query }) => listTaskGroup(ctx)(caller, params.taskGroupId, query),
      sealTaskGroup: sealTaskGroup(ctx),
      cancelTaskGroup: cancelTaskGroup(ctx),
      changeTaskPriority: changeTaskPriority(ctx, reprioritize),
      changeTaskGroupPriority: changeTaskGroupPriority(ctx, reprioritize),
      ...claimHandlers(useCases),
      ...workerMetadataHandlers(ctx, activity),
      ...artifactHandlers(ctx),
      createTasks: createTasks(ctx),
      taskGroupTimeline: taskGroupTimeline(ctx),
    },
    loops: {
      "claim-expiry": endExpiredClaims(ctx, resolve),
      deadline: endPastDeadline(ctx),
      dependents: releaseDependents(ctx),
      "artifact-expiry": expireArtifacts(ctx),
      "task-expiry": expireTasks(ctx),
      "task-group-expiry": expireTaskGroups(ctx),
      "worker-expiry": expireWorkers(ctx),
      "queue-gauges": refreshGauges(ctx),
      "built-in-workers": runBuiltInTasks(ctx, resolve, activity, heads),
      watchdog: watchdog(ctx, resolve),
    },
    wakeTopics: { "built-in-workers": builtInTopics, dependents: [unfinishedTopic] },
    consumers: ctx.config.workerManagerEvents ? [workerRemovedConsumer(ctx, resolve)] : [],
    async workerSeen() {
      await activity.flush();
      return readLastSeen(ctx.db);
    },
    stop: () => dispatcher.stop(),
    writeNotes: () => activity.flush(),
  };
}
