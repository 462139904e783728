// why: the true reasons for the state of a task, in the order of their weight.
import type { TaskStatus } from "../../../../api/queue/status.ts";
import type { whyEndpoints } from "../../../../api/queue/endpoints/why.ts";
import type { Reason, Why } from "../../../../api/queue/why.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { readSubjects, type SubjectRow } from "./store.ts";
import type { WhyContext } from "./context.ts";
import { unmetDependencies } from "./dependencies.ts";
import { pendingReasons } from "./pending.ts";
import { deadlineReasons, earlierRuns, resolvedReasons, runningReasons } from "./runs.ts";

/** Roots that are explained themselves, each in a queue of its own: more would bury the rest. */
const EXPLAINED_ROOTS = 3;

export function why(ctx: WhyContext): Handler<typeof whyEndpoints.why> {
  return async (call): Promise<Why> => {
    const { taskId } = call.params;
    const [task] = await readSubjects(ctx.db, [taskId]);
    if (!task)
      throw new ApiError(
        "ResourceNotFound",
        `Task ${taskId} does not exist: it was never created here, or has expired.`,
      );
    const status = statusOf(task);
    return {
      taskId,
      state: status.state,
      taskQueueId: task.task_queue_id,
      asked: new Date(ctx.clock.now()).toISOString(),
      reasons: await reasonsFor(ctx, task, status),
    };
  };
}

// Built by the database from its own columns.
const statusOf = (task: SubjectRow): TaskStatus => JSON.parse(task.status) as TaskStatus;

async function reasonsFor(ctx: WhyContext, task: SubjectRow, status: TaskStatus): Promise<Reason[]> {
  const late = deadlineReasons(ctx, task, status);
  switch (status.state) {
    case "unscheduled":
      return [...late, ...(await unscheduledReasons(ctx, task))];
    case "pending":
      return [...late, ...(await pendingReasons(ctx, task, status)), ...earlierRuns(status)];
    case "running":
      return [...runningReasons(ctx, status), ...late, ...earlierRuns(status)];
    default:
      return [
        ...resolvedReasons(task, status),
        // A task that ended without having been scheduled: what it waited for is why.
        ...(status.runs[0]?.reasonCreated === "exception" && task.run_count === 1
          ? (await unmetDependencies(ctx, task.task_id, { isOver: true })).reasons
          : []),
        ...earlierRuns(status),
      ];
  }
}

async function unscheduledReasons(ctx: WhyContext, task: SubjectRow): Promise<Reason[]> {
  const { task_id: taskId } = task;
  const { reasons, roots } = await unmetDependencies(ctx, taskId);
  if (reasons.length === 0) return [neverScheduled(ctx, task)];
  return [...reasons, ...(await rootReasons(ctx, roots))];
}

/** All dependencies are met, and still there is no run. */
function neverScheduled(ctx: WhyContext, { task_id: taskId, deadline, unsatisfied }: SubjectRow): Reason {
  if (deadline.getTime() <= ctx.clock.now())
    return {
      code: "never-scheduled",
      summary: "No dependency is unmet; a task is not scheduled any more once its deadline has passed.",
      taskId,
    };
  const what =
    unsatisfied === 0
      ? "no dependency is unmet, and yet the task was never scheduled"
      : `${unsatisfied} dependencies are counted as unmet, and there are none`;
  return {
    code: "inconsistent",
    summary: `The database contradicts itself: ${what}. The watchdog looks for this and puts it right.`,
    taskId,
    what,
  };
}

/** Why the first of the roots are where they are. */
async function rootReasons(
  ctx: WhyContext,
  roots: readonly { readonly taskId: string }[],
): Promise<readonly Reason[]> {
  const tasks = await readSubjects(
    ctx.db,
    roots.slice(0, 100).map(({ taskId }) => taskId),
  );
  const reasons: Reason[] = [];
  const queues = new Set<string>();
  for (const { taskId } of roots) {
    const task = tasks.find(({ task_id }) => task_id === taskId);
    if (!task || queues.has(task.task_queue_id)) continue;
    queues.add(task.task_queue_id);
    const status = statusOf(task);
    if (status.state === "pending") reasons.push(...(await pendingReasons(ctx, task, status)));
    if (status.state === "running") reasons.push(...runningReasons(ctx, status));
    if (queues.size === EXPLAINED_ROOTS) break;
  }
  return reasons;
}
