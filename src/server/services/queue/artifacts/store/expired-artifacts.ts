// Finds and deletes expired artifacts.
import Type, { type Static } from "typebox";
import { column } from "../../../../core/columns.ts";
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import type { ArtifactId } from "./read-artifacts.ts";

const ExpiredRow = Type.Object({
  task_id: Type.String(),
  run_id: Type.Integer(),
  name: Type.String(),
  storage_type: Type.String(),
});
export type ExpiredRow = Static<typeof ExpiredRow>;

/** Returns artifacts that expired before `cutoff`, in order of expiration, without the first `skipped`. */
export const expiredArtifacts = (
  db: Queryable,
  cutoff: string,
  limit: number,
  skipped: number,
): Promise<ExpiredRow[]> =>
  db.many(
    ExpiredRow,
    sql`
    select task_id, run_id, name, storage_type from artifacts
    where expires < ${cutoff}::timestamptz order by expires limit ${limit} offset ${skipped}`,
  );

/** Deletes those of the artifacts that are still expired, and returns their number. */
export const deleteExpired = (db: Queryable, ids: readonly ArtifactId[], cutoff: string): Promise<number> =>
  db.run(sql`
    delete from artifacts a
    using unnest(
      ${column(ids, "taskId")}::text[], ${column(ids, "runId")}::smallint[], ${column(ids, "name")}::text[]
    ) as i (task_id, run_id, name)
    where a.task_id = i.task_id and a.run_id = i.run_id and a.name = i.name
      and a.expires < ${cutoff}::timestamptz`);
