// A group counts its tasks that were never resolved: at zero, its resolution is announced.
import Type from "typebox";
import type { Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { exchanges } from "../../sql/event-rows.ts";
import { lookAt, VerdictRow, type Check, type CheckContext, type Verdict } from "../check.ts";

/**
 * How many tasks of the group `g` were never resolved. A task was, where its latest run is, or where a run was made by
 * hand after another, which is done only to a resolved task.
 */
const neverResolved: Sql = sql`(
      select count(*) from tasks t
      left join runs r on r.task_id = t.task_id and r.run_id = t.run_count - 1
      where t.task_group_id = g.task_group_id and (r.state is null or r.state in ('pending', 'running'))
        and not exists (
          select from runs a where a.task_id = t.task_id and a.reason_created = 'rerun' and a.run_id > 0))::integer`;

const faultsOf = (db: Queryable, groupIds: readonly string[]) =>
  db.many(
    VerdictRow,
    sql`
    select g.task_group_id as subject,
      'counts ' || g.unresolved || ' tasks that were never resolved, and has ' || c.n as detail
    from task_groups g cross join lateral (select ${neverResolved} as n) c
    where g.task_group_id = any(${groupIds}::text[]) and g.unresolved <> c.n`,
  );

const RecountedRow = Type.Object({ task_group_id: Type.String() });

/** Counts anew; where that comes to zero, the resolution is announced that was not. Under the groups' locks. */
const recount = (tx: Queryable, groupIds: readonly string[]) =>
  tx.many(
    RecountedRow,
    sql`
    with counted as (
      update task_groups g set unresolved = ${neverResolved}
      where g.task_group_id = any(${groupIds}::text[]) and g.unresolved <> ${neverResolved}
      returning g
    ),
    logged as (${logEvents(sql`
      select ${exchanges.taskGroupResolved},
        'primary.' || (g).task_group_id || '.' || (g).scheduler_id || '._', '{}'::text[], group_message(g)
      from counted where (g).unresolved = 0`)})
    select (g).task_group_id as task_group_id from counted`,
  );

async function judge({ db }: CheckContext, subjects: readonly string[]): Promise<Verdict[]> {
  return db.tx(async (tx) => {
    // Whoever resolves or adds tasks counts under this lock, and commits the one with the other.
    await tx.run(sql`
      select from task_groups where task_group_id = any(${subjects}::text[]) order by task_group_id for no key update`);
    const faults = await faultsOf(tx, subjects);
    if (faults.length === 0) return [];
    const recounted = new Set((await recount(tx, subjects)).map((row) => row.task_group_id));
    return faults.map((row) => ({ ...row, repaired: recounted.has(row.subject) }));
  });
}

/** Larger ones are left out: while it is counted under its lock, nothing of a group is resolved. */
const LARGEST = 20_000;
/** For each unit of a slice: groups are few, and their tasks many. */
const GROUPS = 0.1;
const TASKS = 5;

export const groups: Check = {
  name: "group-count",
  means: `A group of up to ${LARGEST} tasks counts those that were never resolved.`,
  repair: "the count is made anew, and a resolution that was not announced is announced",
  look({ db }, place, limit) {
    const groups = Math.max(1, Math.ceil(limit * GROUPS));
    const tasks = limit * TASKS;
    // As many groups as have so many tasks together, and at least one.
    const slice = sql`
      select * from (
        select g.task_group_id, g.unresolved, g.task_group_id as place, s.tasks,
          row_number() over (order by g.task_group_id) as n,
          sum(s.tasks) over (order by g.task_group_id) - s.tasks as before
        from (
          select * from task_groups where task_group_id > ${place} collate "C" order by task_group_id limit ${groups}
        ) g cross join lateral (
          select count(*) as tasks from (
            select from tasks t where t.task_group_id = g.task_group_id limit ${LARGEST + 1}
          ) t
        ) s
      ) x where before <= ${tasks}::bigint`;
    return lookAt(
      db,
      slice,
      sql`
      select g.task_group_id as subject from slice g
      where g.tasks <= ${LARGEST}::bigint and g.unresolved <> ${neverResolved}`,
    );
  },
  judge,
};
