// Finds claims that have expired.
import Type from "typebox";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { runningByClaimEnd } from "../../sql/run-indexes.ts";

const ExpiredClaimRow = Type.Object({
  task_id: Type.String(),
  run_id: Type.Integer(),
  taken_until: Timestamp,
});

/** Returns running runs whose claim has ended, the earliest first, without those past their deadline. */
export const expiredClaims = (
  db: Queryable,
  at: string,
  limit: number,
): Promise<{ task_id: string; run_id: number; taken_until: Date }[]> =>
  db.many(
    ExpiredClaimRow,
    sql`
    select r.task_id, r.run_id, r.taken_until from runs r
    where ${runningByClaimEnd} and r.taken_until < ${at}::timestamptz and r.deadline > ${at}::timestamptz
    order by r.taken_until limit ${limit}`,
  );
