// Public API of the queue.
import { queueApi } from "../../../api/queue/index.ts";
import { defineService } from "../../core/service.ts";
import type { Objects } from "../object/index.ts";
import { createContext, type QueuePlatform } from "./context.ts";
import { expireArtifacts } from "./artifacts/expire-artifacts.ts";
import { checkUpload } from "./artifacts/check-upload.ts";
import { artifactHandlers } from "./artifacts/handlers.ts";
import { artifactUseCases } from "./artifacts/use-cases.ts";
import { builtInTopics, runBuiltInTasks } from "./claims/built-in-workers.ts";
import { taskHandlers } from "./tasks/handlers.ts";
import { taskUseCases } from "./tasks/use-cases.ts";
import { groupHandlers } from "./groups/handlers.ts";
import { groupUseCases } from "./groups/use-cases.ts";
import { historyHandlers } from "./history/handlers.ts";
import { historyUseCases } from "./history/use-cases.ts";
import { priorityHandlers } from "./priorities/handlers.ts";
import { priorityUseCases } from "./priorities/use-cases.ts";
import { createClaimDispatcher } from "./claims/claim-dispatcher.ts";
import { claimHandlers } from "./claims/handlers.ts";
import { claimUseCases } from "./claims/use-cases.ts";
import { expireTaskGroups, expireTasks } from "./expiry/expire-tasks.ts";
import { graphHandlers } from "./graph/handlers.ts";
import { graphUseCases } from "./graph/use-cases.ts";
import { endExpiredClaims, endPastDeadline } from "./resolution/end-overdue.ts";
import { runningTask } from "./claims/running-task.ts";
import { createQueueHeads } from "./claims/queue-heads.ts";
import { releaseDependents } from "./resolution/release-dependents.ts";
import { unfinishedTopic } from "./sql/wakes.ts";
import { reportUseCases } from "./resolution/report-run.ts";
import { createResolver } from "./resolution/end-runs.ts";
import { workerRemovedConsumer } from "./workers/worker-removed.ts";
import { createWorkerActivity } from "./workers/activity-buffer.ts";
import { expireWorkers } from "./workers/expire-workers.ts";
import { GAUGES_INTERVAL_MS, refreshGauges } from "./workers/gauges.ts";
import { workerHandlers } from "./workers/handlers.ts";
import { workerUseCases } from "./workers/use-cases.ts";
import { workerHealth } from "./workers/worker-health.ts";
import { queueActivity } from "./workers/queue-activity.ts";
import { listFindings } from "./watchdog/list-findings.ts";
import { watchdog } from "./watchdog/watchdog.ts";
import { why } from "./why/why.ts";
import { logs } from "./logs.ts";
import { metrics } from "./metrics.ts";
import { scopeParams } from "./scope-params.ts";
import { settings } from "./settings.ts";

export type { RunningTask } from "./claims/running-task.ts";
export type { WorkerUseCases } from "./workers/use-cases.ts";

/** The client that signs the credentials of tasks. */
const client = {
  clientId: "static/taskcluster/queue",
  description: "The queue: signs the credentials of tasks.",
  scopes: ["*"],
} as const;

/** What other services use in the process. */
export type Queue = ReturnType<typeof queueService.create>["provides"];

export const queueService = defineService({
  api: queueApi,
  settings,
  metrics,
  logs,
  client,
  scopeParams,
  create(platform: QueuePlatform, { object }: { readonly object: Objects }) {
    const ctx = createContext(platform, object);
    const heads = createQueueHeads(ctx);
    const dispatcher = createClaimDispatcher(ctx, heads);
    const activity = createWorkerActivity(ctx);
    const resolve = createResolver(ctx);
    const useCases = {
      ...taskUseCases(ctx),
      ...claimUseCases(ctx, dispatcher, activity),
      ...reportUseCases(ctx, resolve),
      ...groupUseCases(ctx),
      ...historyUseCases(ctx),
      ...priorityUseCases(ctx),
      ...graphUseCases(ctx),
      ...artifactUseCases(ctx),
      ...workerUseCases(ctx, activity),
      why: why({ ...ctx, activity: (taskQueueId) => queueActivity(ctx, activity, taskQueueId) }),
      watchdog: listFindings(ctx),
    };
    const { loopInterval: intervalMs, watchdogInterval } = ctx.config;
    return {
      handlers: {
        ...taskHandlers(useCases),
        why: ({ caller, params }) => useCases.why(caller, params.taskId),
        watchdog: ({ caller, query }) => useCases.watchdog(caller, query),
        ...groupHandlers(useCases),
        ...historyHandlers(useCases),
        ...priorityHandlers(useCases),
        ...graphHandlers(useCases),
        ...claimHandlers(useCases),
        ...workerHandlers(useCases),
        ...artifactHandlers(useCases),
      },
      provides: { ...useCases, runningTask: runningTask(ctx) },
      checkUpload: checkUpload(ctx),
      loops: [
        { name: "claim-expiry", intervalMs, runOnce: endExpiredClaims(ctx, resolve) },
        { name: "deadline", intervalMs, runOnce: endPastDeadline(ctx) },
        { name: "dependents", intervalMs, wakeOn: [unfinishedTopic], runOnce: releaseDependents(ctx) },
        { name: "artifact-expiry", intervalMs, runOnce: expireArtifacts(ctx) },
        { name: "task-expiry", intervalMs, runOnce: expireTasks(ctx) },
        { name: "task-group-expiry", intervalMs, runOnce: expireTaskGroups(ctx) },
        { name: "worker-expiry", intervalMs, runOnce: expireWorkers(ctx) },
        { name: "queue-gauges", intervalMs: GAUGES_INTERVAL_MS, runOnce: refreshGauges(ctx) },
        {
          name: "built-in-workers",
          intervalMs,
          wakeOn: builtInTopics,
          runOnce: runBuiltInTasks(ctx, resolve, activity, heads),
        },
        { name: "watchdog", intervalMs: watchdogInterval, runOnce: watchdog(ctx, resolve) },
      ],
      consumers: ctx.config.workerManagerEvents ? [workerRemovedConsumer(ctx, resolve)] : [],
      healthChecks: [workerHealth(ctx, activity)],
      drain: () => dispatcher.stop(),
      stop: () => activity.flush(),
    };
  },
});
