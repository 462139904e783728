// What the queue's loops should have done by now: claims, deadlines, removal of what expired.
import type { Db } from "../../../../core/db.ts";
import { column } from "../../../../core/columns.ts";
import { expiredArtifacts } from "../../artifacts/store.ts";
import { tasksPastDeadline } from "../../resolution/store/end-tasks.ts";
import { expiredClaims } from "../../claims/store.ts";
import { expiredTasks } from "../../expiry/store.ts";
import { MAX_WRONG, type Check, type CheckContext, type Verdict } from "../check.ts";

/** Claims that ended long ago; the loop takes those that ended just now. */
const overdueClaims = ({ db, ago, config }: CheckContext) =>
  expiredClaims(db, ago(config.watchdogPatience), MAX_WRONG);

const claimName = (claim: { task_id: string; run_id: number }) => `${claim.task_id}/${claim.run_id}`;

export const claimOverdue: Check = {
  name: "claim-overdue",
  means: "A running run has a claim that lasts, or was ended when its claim did.",
  repair: "the run is ended as claim-expired, as the loop claim-expiry does it",
  passing: true,
  look: async (ctx) => ({ place: null, wrong: (await overdueClaims(ctx)).map(claimName) }),
  async judge(ctx, subjects) {
    const found = (await overdueClaims(ctx)).filter((claim) => subjects.includes(claimName(claim)));
    return Promise.all(
      found.map(async (claim): Promise<Verdict> => {
        const taken_until = claim.taken_until.toISOString();
        const ended = await ctx.resolve({
          taskId: claim.task_id,
          runId: claim.run_id,
          state: "exception",
          reason: "claim-expired",
          retryAs: "retry",
          // A reclaim in between wins.
          takenUntil: taken_until,
        });
        const detail = `is running, and its claim ended at ${taken_until}`;
        return { subject: claimName(claim), detail, repaired: ended !== null };
      }),
    );
  },
};

const pastDeadline = ({ db, ago, config }: CheckContext) =>
  tasksPastDeadline(db, ago(config.deadlineDelay + config.watchdogPatience), MAX_WRONG);

export const deadlineOverdue: Check = {
  name: "deadline-overdue",
  means: "A task that is past its deadline, and the delay after it, is resolved.",
  repair: "the task is ended as deadline-exceeded, as the loop deadline does it",
  passing: true,
  look: async (ctx) => ({ place: null, wrong: column(await pastDeadline(ctx), "task_id") }),
  async judge(ctx, subjects) {
    const found = column(await pastDeadline(ctx), "task_id").filter((id) => subjects.includes(id));
    return Promise.all(
      found.map(async (subject) => ({
        subject,
        detail: "is past its deadline and not resolved",
        repaired: (await ctx.endPastDeadline(subject)) !== null,
      })),
    );
  },
};

/** Removal is in no hurry, and a heap of a million takes its time. */
const REMOVAL_PATIENCE = 30;

/** Kinds of things that expire, and how to find the one that expired first. */
const kinds: Readonly<Record<string, (db: Db, cutoff: string) => Promise<readonly unknown[]>>> = {
  artifacts: (db, cutoff) => expiredArtifacts(db, cutoff, 1, 0),
  tasks: (db, cutoff) => expiredTasks(db, new Date(0).toISOString(), cutoff, 1),
};

export const removalOverdue: Check = {
  name: "removal-overdue",
  means: "What expired is removed within an hour or so after the delay.",
  passing: true,
  look: async (ctx) => ({ place: null, wrong: await overdueKinds(ctx) }),
  judge: async (ctx, subjects) =>
    (await overdueKinds(ctx))
      .filter((kind) => subjects.includes(kind))
      .map((subject) => ({ subject, detail: "are there that should have been removed", repaired: false })),
};

async function overdueKinds({ db, ago, config }: CheckContext): Promise<string[]> {
  const cutoff = ago(config.expiryDelay + REMOVAL_PATIENCE * config.watchdogPatience);
  const found = await Promise.all(
    Object.entries(kinds).map(async ([kind, find]) => ((await find(db, cutoff)).length > 0 ? [kind] : [])),
  );
  return found.flat();
}
