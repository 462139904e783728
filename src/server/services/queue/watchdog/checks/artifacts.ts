// An artifact belongs to a run that exists. Otherwise no call can return it, and its bytes only use space.
import { sql, type Sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { runOf, scanSlice, ViolationRow, type Check } from "../check.ts";

const hasNoRun: Sql = sql`not exists (
        select from runs r join tasks t using (task_id) where r.task_id = a.task_id and r.run_id = a.run_id)`;

/** Returns everything after the second slash, since names may contain slashes. */
const nameOf = (subject: string): string => subject.split("/").slice(2).join("/");

export const artifactRows: Check = {
  name: "artifact-rows",
  means: "An artifact belongs to a run that exists. (Otherwise it remains until it expires.)",
  scan({ db }, place, limit) {
    const { taskId, runId } = runOf(place);
    const slice = sql`
      select *, task_id || '/' || run_id || '/' || name as place,
        row_number() over (order by task_id, run_id, name) as n
      from artifacts
      where (task_id, run_id, name) > (${taskId} collate "C", ${runId}::smallint, ${nameOf(place)} collate "C")
      order by task_id, run_id, name limit ${limit}`;
    return scanSlice(db, slice, sql`select a.place as subject from slice a where ${hasNoRun}`);
  },
  async confirm({ db }, subjects) {
    const runs = subjects.map((subject) => ({ ...runOf(subject), name: nameOf(subject) }));
    const rows = await db.many(
      ViolationRow,
      sql`
      select a.task_id || '/' || a.run_id || '/' || a.name as subject, 'belongs to a run that does not exist' as detail
      from unnest(
        ${column(runs, "taskId")}::text[], ${column(runs, "runId")}::smallint[], ${column(runs, "name")}::text[]
      ) i (task_id, run_id, name)
      join artifacts a on a.task_id = i.task_id and a.run_id = i.run_id and a.name = i.name
      where ${hasNoRun}`,
    );
    return rows.map((row) => ({ ...row, repaired: false }));
  },
};
