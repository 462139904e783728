// An artifact belongs to a run that is there: without it, nobody can ask for it, and its bytes are kept for nothing.
import { sql, type Sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { lookAt, runOf, VerdictRow, type Check } from "../check.ts";

const hasNoRun: Sql = sql`not exists (
        select from runs r join tasks t using (task_id) where r.task_id = a.task_id and r.run_id = a.run_id)`;

/** Everything after the second slash: names have slashes too. */
const nameOf = (subject: string): string => subject.split("/").slice(2).join("/");

export const artifactRows: Check = {
  name: "artifact-rows",
  means: "An artifact belongs to a run that exists. (One that does not leaves when it expires.)",
  look({ db }, place, limit) {
    const { taskId, runId } = runOf(place);
    const slice = sql`
      select *, task_id || '/' || run_id || '/' || name as place,
        row_number() over (order by task_id, run_id, name) as n
      from artifacts
      where (task_id, run_id, name) > (${taskId} collate "C", ${runId}::smallint, ${nameOf(place)} collate "C")
      order by task_id, run_id, name limit ${limit}`;
    return lookAt(db, slice, sql`select a.place as subject from slice a where ${hasNoRun}`);
  },
  async judge({ db }, subjects) {
    const runs = subjects.map((subject) => ({ ...runOf(subject), name: nameOf(subject) }));
    const rows = await db.many(
      VerdictRow,
      sql`
      select a.task_id || '/' || a.run_id || '/' || a.name as subject, 'is of a run that does not exist' as detail
      from unnest(
        ${column(runs, "taskId")}::text[], ${column(runs, "runId")}::smallint[], ${column(runs, "name")}::text[]
      ) i (task_id, run_id, name)
      join artifacts a on a.task_id = i.task_id and a.run_id = i.run_id and a.name = i.name
      where ${hasNoRun}`,
    );
    return rows.map((row) => ({ ...row, repaired: false }));
  },
};
