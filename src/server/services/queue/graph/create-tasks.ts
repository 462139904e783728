// createTasks: a whole graph with one call, all of it or nothing.
import type { graphEndpoints } from "../../../../api/queue/endpoints/graph.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { isRetryable, isUniqueViolation } from "../../../core/db-errors.ts";
import type { Call } from "../../../core/http/call.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { startTimeSlice, type TimeSlice } from "../../../core/time-slice.ts";
import type { QueueContext } from "../context.ts";
import { areRecorded, recordDefined, recordReleased } from "../transition-log.ts";
import { checkKnown } from "./check-known.ts";
import { checkBetween, checkTasks, type CheckedTasks } from "./check-tasks.ts";
import { collectFaults, type Faults } from "./faults.ts";
import { scopesOfTasks, tellMissingScopes } from "./scopes.ts";
import { ChangedMeanwhile, planTasks, writeTasks } from "./write-tasks.ts";

type CreateTasks = typeof graphEndpoints.createTasks;

/** How often a call begins anew where others write the same tasks, groups or dependencies at the same time. */
const MAX_TRIES = 5;

export function createTasks(ctx: QueueContext): Handler<CreateTasks> {
  return async (call) => {
    const slice = startTimeSlice();
    const { dryRun = false } = call.body;
    for (let tries = 1; ; tries++) {
      const faults = collectFaults();
      const checked = await checkTasks(
        call.body.tasks,
        {
          now: ctx.clock.now(),
          toleranceMs: ctx.config.deadlineTolerance,
          maxDeadlineMs: ctx.config.maxTaskDeadline,
          maxDependencies: ctx.config.maxDependencies,
        },
        faults,
        slice,
      );
      const refusal = authorize(call, checked, faults);
      await checkBetween(checked, faults, slice);
      const known = await checkKnown(ctx.db, checked.sound, checked.places, faults, slice);
      if (faults.count > 0) throw faults.refusal(refusal && `${refusal.message}\n\n`);

      const tasks = checked.sound.map(({ task }) => task);
      const plan = planTasks(
        tasks.filter(({ taskId }) => !known.same.has(taskId)),
        known.required,
      );
      if (!dryRun && !(await tryToWrite(ctx, plan, slice, tries))) continue;
      return {
        dryRun,
        created: plan.tasks.length,
        pending: plan.first.length,
        known: [...known.same],
        taskGroupIds: [...new Set(tasks.map(({ taskGroupId }) => taskGroupId))],
      };
    }
  };
}

/** Answers what a caller lacks, who is then told with all the rest; somebody unknown learns no more than that. */
function authorize(
  call: Call<CreateTasks>,
  { readable }: CheckedTasks,
  faults: Faults,
): ApiError | undefined {
  const caller = call.caller.identity();
  try {
    call.authorize(scopesOfTasks(readable, caller.scopes));
    return undefined;
  } catch (err) {
    if (!(err instanceof ApiError) || err.code !== "InsufficientScopes" || caller.clientId === undefined)
      throw err;
    tellMissingScopes(readable, caller.scopes, faults);
    return err;
  }
}

/** Answers false where the call has to begin anew, since something it looked at has changed. */
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
    const again = err instanceof ChangedMeanwhile || isRetryable(err) || isUniqueViolation(err);
    if (!again) throw err;
    if (tries >= MAX_TRIES)
      throw new ApiError(
        "RequestConflict",
        "Others change the same tasks or groups all the time, so the call was given up; nothing was written. Try again.",
        { cause: err },
      );
    return false;
  }
}
