// The queue's loops are not late: claims, deadlines, and the removal of expired rows.
import type { Db } from "../../../../core/db.ts";
import { column } from "../../../../core/columns.ts";
import { expiredArtifacts } from "../../artifacts/store/expired-artifacts.ts";
import { tasksPastDeadline } from "../../resolution/store/end-tasks.ts";
import { expiredClaims } from "../../claims/store/expired-claims.ts";
import { expiredTasks } from "../../expiry/store.ts";
import { MAX_SUSPECTS, type Check, type CheckContext, type Violation } from "../check.ts";

/** Returns claims that ended so long ago that the loop should have processed them. */
const overdueClaims = ({ db, ago, config }: CheckContext) =>
  expiredClaims(db, ago(config.watchdogPatience), MAX_SUSPECTS);

const claimName = (claim: { task_id: string; run_id: number }) => `${claim.task_id}/${claim.run_id}`;

export const claimOverdue: Check = {
  name: "claim-overdue",
  means: "A running run has a claim that has not ended.",
  repair: "the run is resolved as claim-expired, as the loop claim-expiry does",
  transient: true,
  scan: async (ctx) => ({ place: null, suspects: (await overdueClaims(ctx)).map(claimName) }),
  async confirm(ctx, subjects) {
    const found = (await overdueClaims(ctx)).filter((claim) => subjects.includes(claimName(claim)));
    return Promise.all(
      found.map(async (claim): Promise<Violation> => {
        const taken_until = claim.taken_until.toISOString();
        const ended = await ctx.resolve({
          taskId: claim.task_id,
          runId: claim.run_id,
          state: "exception",
          reason: "claim-expired",
          retryAs: "retry",
          // Does nothing if the claim was renewed meanwhile.
          takenUntil: taken_until,
        });
        const detail = `is running although its claim ended at ${taken_until}`;
        return { subject: claimName(claim), detail, repaired: ended !== null };
      }),
    );
  },
};

const pastDeadline = ({ db, ago, config }: CheckContext) =>
  tasksPastDeadline(db, ago(config.deadlineDelay + config.watchdogPatience), MAX_SUSPECTS);

export const deadlineOverdue: Check = {
  name: "deadline-overdue",
  means: "A task is resolved when its deadline and the delay after it have passed.",
  repair: "the task is resolved as deadline-exceeded, as the loop deadline does",
  transient: true,
  scan: async (ctx) => ({ place: null, suspects: column(await pastDeadline(ctx), "task_id") }),
  async confirm(ctx, subjects) {
    const found = column(await pastDeadline(ctx), "task_id").filter((id) => subjects.includes(id));
    return Promise.all(
      found.map(async (subject) => ({
        subject,
        detail: "is past its deadline but not resolved",
        repaired: (await ctx.endPastDeadline(subject)) !== null,
      })),
    );
  },
};

/** Multiple of `watchdogPatience`: removal is not urgent, and a backlog of a million rows takes long. */
const REMOVAL_PATIENCE = 30;

/** The kinds of rows that expire, with a query for the one that expired first. */
const kinds: Readonly<Record<string, (db: Db, cutoff: string) => Promise<readonly unknown[]>>> = {
  artifacts: (db, cutoff) => expiredArtifacts(db, cutoff, 1, 0),
  tasks: (db, cutoff) => expiredTasks(db, new Date(0).toISOString(), cutoff, 1),
};

export const removalOverdue: Check = {
  name: "removal-overdue",
  means: "Expired tasks and artifacts are removed within about an hour after the delay.",
  transient: true,
  scan: async (ctx) => ({ place: null, suspects: await overdueKinds(ctx) }),
  confirm: async (ctx, subjects) =>
    (await overdueKinds(ctx))
      .filter((kind) => subjects.includes(kind))
      .map((subject) => ({ subject, detail: "remain that should have been removed", repaired: false })),
};

async function overdueKinds({ db, ago, config }: CheckContext): Promise<string[]> {
  const cutoff = ago(config.expiryDelay + REMOVAL_PATIENCE * config.watchdogPatience);
  const found = await Promise.all(
    Object.entries(kinds).map(async ([kind, find]) => ((await find(db, cutoff)).length > 0 ? [kind] : [])),
  );
  return found.flat();
}
