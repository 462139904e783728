// why: explains the state of a task, the most important reason first.
import type { TaskStatus } from "../../../../api/queue/status.ts";
import { whyEndpoints } from "../../../../api/queue/endpoints/why.ts";
import type { Reason, Why } from "../../../../api/queue/why.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson } from "../../../core/json.ts";
import { noTask } from "../tasks/find-task.ts";
import { readSubjects, type SubjectRow } from "./store.ts";
import { unmetDependencies } from "./dependencies.ts";
import { redact } from "./redact.ts";
import { pendingReasons, type WhyContext } from "./pending.ts";
import { deadlineReasons, earlierRunReasons, resolvedReasons, runningReasons } from "./runs.ts";

/** Maximum roots that are explained as well, one per queue. More would hide the other reasons. */
const EXPLAINED_ROOTS = 3;

export const why =
  (ctx: WhyContext) =>
  async (caller: Caller, taskId: string): Promise<Why> => {
    caller.authorize(whyEndpoints.why, { taskId });
    const [task] = await readSubjects(ctx.db, [taskId]);
    if (!task) throw noTask(taskId);
    const status = parseJson(task.status);
    return {
      taskId,
      state: status.state,
      taskQueueId: task.task_queue_id,
      asked: new Date(ctx.clock.now()).toISOString(),
      reasons: [...redact(await reasonsFor(ctx, task, status), taskId, caller.identity().scopes)],
    };
  };

async function reasonsFor(ctx: WhyContext, task: SubjectRow, status: TaskStatus): Promise<Reason[]> {
  const late = deadlineReasons(ctx, task, status);
  switch (status.state) {
    case "unscheduled":
      return [...late, ...(await unscheduledReasons(ctx, task))];
    case "pending":
      return [...late, ...(await pendingReasons(ctx, task, status)), ...earlierRunReasons(status)];
    case "running":
      return [...runningReasons(ctx, status), ...late, ...earlierRunReasons(status)];
    default:
      return [
        ...resolvedReasons(task, status),
        // The task was resolved without having been scheduled, because it waited for dependencies.
        ...(status.runs[0]?.reasonCreated === "exception" && task.run_count === 1
          ? (await unmetDependencies(ctx, task.task_id, { isResolved: true })).reasons
          : []),
        ...earlierRunReasons(status),
      ];
  }
}

async function unscheduledReasons(ctx: WhyContext, task: SubjectRow): Promise<Reason[]> {
  const { task_id: taskId } = task;
  const { reasons, roots } = await unmetDependencies(ctx, taskId);
  if (reasons.length === 0) return [neverScheduled(ctx, task)];
  return [...reasons, ...(await rootReasons(ctx, roots))];
}

/** Explains why there is no run although all dependencies are met. */
function neverScheduled(ctx: WhyContext, { task_id: taskId, deadline, unsatisfied }: SubjectRow): Reason {
  if (deadline.getTime() <= ctx.clock.now())
    return {
      code: "never-scheduled",
      summary: "No dependency is unmet, but a task is no longer scheduled after its deadline.",
      taskId,
    };
  const what =
    unsatisfied === 0
      ? "no dependency is unmet, but the task was never scheduled"
      : `${unsatisfied} dependencies are counted as unmet, but there are none`;
  return {
    code: "inconsistent",
    summary: `The database is inconsistent: ${what}. The watchdog finds and repairs this.`,
    taskId,
    what,
  };
}

/** Explains the states of the first roots. */
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
    const status = parseJson(task.status);
    if (status.state === "pending") reasons.push(...(await pendingReasons(ctx, task, status)));
    if (status.state === "running") reasons.push(...runningReasons(ctx, status));
    if (queues.size === EXPLAINED_ROOTS) break;
  }
  return reasons;
}
