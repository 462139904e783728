// A task is whole: its definition is there, and its runs are those that it counts.
import type { Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { lookAt, VerdictRow, type Check } from "../check.ts";

/** What is wrong with the task `t`, or null. */
const fault: Sql = sql`(
      select case
        when not exists (select from task_definitions d where d.task_id = t.task_id) then 'has no definition'
        when count(*) <> t.run_count or coalesce(max(r.run_id), -1) <> t.run_count - 1
          then 'counts ' || t.run_count || ' runs and has ' || count(*)
            || coalesce(', the latest with the id ' || max(r.run_id), '')
        when count(*) filter (where r.state in ('pending', 'running')) > 1 then 'has several runs that are not over'
      end
      from runs r where r.task_id = t.task_id)`;

const faultsOf = (db: Queryable, taskIds: readonly string[]) =>
  db.many(
    VerdictRow,
    sql`
    select t.task_id as subject, f.detail
    from tasks t cross join lateral (select ${fault} as detail) f
    where t.task_id = any(${taskIds}::text[]) and f.detail is not null`,
  );

export const taskRows: Check = {
  name: "task-rows",
  means:
    "A task has its definition, and exactly the runs that it counts, of which at most the latest is not over.",
  look: ({ db }, place, limit) =>
    lookAt(
      db,
      sql`
      select *, task_id as place, row_number() over (order by task_id) as n
      from tasks where task_id > ${place} collate "C" order by task_id limit ${limit}`,
      sql`select t.task_id as subject from slice t where ${fault} is not null`,
    ),
  judge: ({ db }, subjects) =>
    db.tx(async (tx) => {
      // Every transition that makes a run locks the task.
      await tx.run(sql`
        select from tasks where task_id = any(${subjects}::text[]) order by task_id for no key update`);
      return (await faultsOf(tx, subjects)).map((row) => ({ ...row, repaired: false }));
    }),
};
