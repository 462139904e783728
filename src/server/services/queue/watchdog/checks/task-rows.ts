// A task is complete: it has a definition, and exactly the runs that it counts.
import type { Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { scanSlice, ViolationRow, type Check } from "../check.ts";

/** How the task `t` violates the invariant, or null. */
const violation: Sql = sql`(
      select case
        when not exists (select from task_definitions d where d.task_id = t.task_id) then 'has no definition'
        when count(*) <> t.run_count or coalesce(max(r.run_id), -1) <> t.run_count - 1
          then 'counts ' || t.run_count || ' runs but has ' || count(*)
            || coalesce(', the latest with the id ' || max(r.run_id), '')
        when count(*) filter (where r.state in ('pending', 'running')) > 1 then 'has several unresolved runs'
      end
      from runs r where r.task_id = t.task_id)`;

const findViolations = (db: Queryable, taskIds: readonly string[]) =>
  db.many(
    ViolationRow,
    sql`
    select t.task_id as subject, v.detail
    from tasks t cross join lateral (select ${violation} as detail) v
    where t.task_id = any(${taskIds}::text[]) and v.detail is not null`,
  );

export const taskRows: Check = {
  name: "task-rows",
  means:
    "A task has a definition and exactly the runs that it counts, of which at most the latest is unresolved.",
  scan: ({ db }, place, limit) =>
    scanSlice(
      db,
      sql`
      select *, task_id as place, row_number() over (order by task_id) as n
      from tasks where task_id > ${place} collate "C" order by task_id limit ${limit}`,
      sql`select t.task_id as subject from slice t where ${violation} is not null`,
    ),
  confirm: ({ db }, subjects) =>
    db.tx(async (tx) => {
      // Every transition that creates a run locks the task.
      await tx.run(sql`
        select from tasks where task_id = any(${subjects}::text[]) order by task_id for no key update`);
      return (await findViolations(tx, subjects)).map((row) => ({ ...row, repaired: false }));
    }),
};
