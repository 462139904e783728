// createTasks: a whole graph in one call, all of it or nothing.
import { graphEndpoints } from "../../../../api/queue/endpoints/graph.ts";
import type { CreateTasksReply, NewTask } from "../../../../api/queue/graph.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { ScopeSet } from "../../../../lib/scopes/scope-set.ts";
import type { Caller } from "../../../core/caller.ts";
import { isRetryable, isUniqueViolation } from "../../../core/db-errors.ts";
import { startTimeSlice, type TimeSlice } from "../../../core/time-slice.ts";
import type { QueueContext } from "../context.ts";
import { rulesOf } from "../tasks/define-task.ts";
import { scopeParamsOfAll, scopesByMember } from "../tasks/task-scopes.ts";
import { areRecorded, recordDefined, recordReleased } from "../transition-log.ts";
import { checkKnown } from "./check-known.ts";
import { checkBetween, checkTasks, type CheckedTasks } from "./check-tasks.ts";
import { collectFaults, type Faults } from "./faults.ts";
import { ChangedMeanwhile, planTasks, writeTasks } from "./write-tasks.ts";

/** How often a call is tried while others write the same tasks, groups or dependencies. */
const MAX_TRIES = 5;

/** Creates tasks, or with `dryRun` only checks them. The tasks need not have passed their schema: it is checked here. */
export const createTasks =
  (ctx: QueueContext) =>
  async (
    caller: Caller,
    tasks: readonly NewTask[],
    { dryRun = false }: { readonly dryRun?: boolean } = {},
  ): Promise<CreateTasksReply> => {
    const slice = startTimeSlice();
    for (let tries = 1; ; tries++) {
      const faults = collectFaults();
      const checked = await checkTasks(tasks, rulesOf(ctx), faults, slice);
      const refusal = authorize(caller, checked, faults);
      await checkBetween(checked, faults, slice);
      // Which tasks and groups exist is none of this caller's business.
      if (refusal) throw faults.refusal(`${refusal.message}\n\n`);
      const known = await checkKnown(ctx.db, checked.sound, checked.places, faults, slice);
      if (faults.count > 0) throw faults.refusal();

      const sound = checked.sound.map(({ task }) => task);
      const plan = planTasks(
        sound.filter(({ taskId }) => !known.same.has(taskId)),
        known.required,
      );
      if (!dryRun && !(await tryToWrite(ctx, plan, slice, tries))) continue;
      return {
        dryRun,
        created: plan.tasks.length,
        pending: plan.first.length,
        known: [...known.same],
        taskGroupIds: [...new Set(sound.map(({ taskGroupId }) => taskGroupId))],
      };
    }
  };

/**
 * Returns the refusal of a caller who lacks scopes, to be reported with the other faults that the tasks themselves show.
 * Without credentials the caller is refused immediately and learns nothing else.
 */
function authorize(caller: Caller, { readable }: CheckedTasks, faults: Faults): ApiError | undefined {
  const { clientId, scopes } = caller.identity();
  try {
    caller.authorize(graphEndpoints.createTasks, scopeParamsOfAll(readable.values(), scopes));
    return undefined;
  } catch (err) {
    if (!(err instanceof ApiError) || err.code !== "InsufficientScopes" || clientId === undefined) throw err;
    addMissingScopes(readable, scopes, faults);
    return err;
  }
}

function addMissingScopes(requests: CheckedTasks["readable"], held: ScopeSet, faults: Faults): void {
  const known = new Map<string, boolean>();
  const lacks = (scope: string): boolean => {
    const holds = known.get(scope) ?? held.satisfies(scope);
    known.set(scope, holds);
    return !holds;
  };
  for (const [index, request] of requests)
    for (const { member, sufficient } of scopesByMember(request))
      if (sufficient.every(lacks))
        faults.add(
          `tasks[${index}].task.${member}`,
          "missing-scopes",
          `The caller lacks ${sufficient.at(-1) ?? ""}${sufficient.length > 1 ? ", or the same for a higher priority" : ""}.`,
        );
}

/** Returns false when the call must be tried again, since something that it had checked has changed. */
async function tryToWrite(
  ctx: QueueContext,
  plan: ReturnType<typeof planTasks>,
  slice: TimeSlice,
  tries: number,
): Promise<boolean> {
  if (plan.tasks.length === 0) return true;
  try {
    const released = await writeTasks(ctx, plan, slice);
    if (areRecorded(ctx)) {
      for (const { taskId, unsatisfied } of plan.tasks) recordDefined(ctx, taskId, unsatisfied === 0);
      recordReleased(ctx, released);
    }
    return true;
  } catch (err) {
    // The transaction has been retried after each deadlock.
    const isDeadlock = isRetryable(err);
    if (!isDeadlock && !(err instanceof ChangedMeanwhile) && !isUniqueViolation(err)) throw err;
    if (isDeadlock || tries >= MAX_TRIES)
      throw new ApiError(
        "RequestConflict",
        "Others keep changing the same tasks or groups, so the call was given up; nothing was written. Try again.",
        { cause: err },
      );
    return false;
  }
}
