// A group counts its tasks that were never resolved. When the count reaches zero, `task-group-resolved` is published.
import Type from "typebox";
import type { Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { events, groupWords } from "../../sql/event-rows.ts";
import { scanSlice, ViolationRow, type Check, type CheckContext, type Violation } from "../check.ts";

/**
 * How many tasks of the group `g` were never resolved. A task was resolved if its latest run is, or if it has a run after
 * the first that rerunTask made: only a resolved task can be rerun.
 */
const neverResolved: Sql = sql`(
      select count(*) from tasks t
      left join runs r on r.task_id = t.task_id and r.run_id = t.run_count - 1
      where t.task_group_id = g.task_group_id and (r.state is null or r.state in ('pending', 'running'))
        and not exists (
          select from runs a where a.task_id = t.task_id and a.reason_created = 'rerun' and a.run_id > 0))::integer`;

const findViolations = (db: Queryable, groupIds: readonly string[]) =>
  db.many(
    ViolationRow,
    sql`
    select g.task_group_id as subject,
      'counts ' || g.unresolved || ' tasks that were never resolved but has ' || c.n as detail
    from task_groups g cross join lateral (select ${neverResolved} as n) c
    where g.task_group_id = any(${groupIds}::text[]) and g.unresolved <> c.n`,
  );

const CorrectedRow = Type.Object({ task_group_id: Type.String() });

/** Corrects the counts, and publishes the resolution of groups whose count becomes zero. The groups must be locked. */
const correctCounts = (tx: Queryable, groupIds: readonly string[]) =>
  tx.many(
    CorrectedRow,
    sql`
    with counted as (
      update task_groups g set unresolved = ${neverResolved}
      where g.task_group_id = any(${groupIds}::text[]) and g.unresolved <> ${neverResolved}
      returning g
    ),
    logged as (${events.taskGroupResolved.publish(groupWords(sql`(g)`), sql`group_message(g)`, {
      from: sql`from counted where (g).unresolved = 0`,
    })})
    select (g).task_group_id as task_group_id from counted`,
  );

async function confirm({ db }: CheckContext, subjects: readonly string[]): Promise<Violation[]> {
  return db.tx(async (tx) => {
    // A transaction that adds or resolves tasks takes this lock before it commits the tasks and the count together.
    await tx.run(sql`
      select from task_groups where task_group_id = any(${subjects}::text[]) order by task_group_id for no key update`);
    const found = await findViolations(tx, subjects);
    if (found.length === 0) return [];
    const corrected = new Set((await correctCounts(tx, subjects)).map((row) => row.task_group_id));
    return found.map((row) => ({ ...row, repaired: corrected.has(row.subject) }));
  });
}

/** Larger groups are not checked: counting locks the group, and none of its tasks can be resolved meanwhile. */
const MAX_TASKS = 20_000;
/** Groups and tasks per row of the slice size: there are few groups, with many tasks. */
const GROUPS_PER_ROW = 0.1;
const TASKS_PER_ROW = 5;

export const groups: Check = {
  name: "group-count",
  means: `A group of up to ${MAX_TASKS} tasks counts how many of them were never resolved.`,
  repair: "the count is corrected, and the resolution of the group is published if it was not",
  scan({ db }, place, limit) {
    const groups = Math.max(1, Math.ceil(limit * GROUPS_PER_ROW));
    const tasks = limit * TASKS_PER_ROW;
    // At least one group, and more while they have no more than `tasks` tasks together.
    const slice = sql`
      select * from (
        select g.task_group_id, g.unresolved, g.task_group_id as place, s.tasks,
          row_number() over (order by g.task_group_id) as n,
          sum(s.tasks) over (order by g.task_group_id) - s.tasks as before
        from (
          select * from task_groups where task_group_id > ${place} collate "C" order by task_group_id limit ${groups}
        ) g cross join lateral (
          select count(*) as tasks from (
            select from tasks t where t.task_group_id = g.task_group_id limit ${MAX_TASKS + 1}
          ) t
        ) s
      ) x where before <= ${tasks}::bigint`;
    return scanSlice(
      db,
      slice,
      sql`
      select g.task_group_id as subject from slice g
      where g.tasks <= ${MAX_TASKS}::bigint and g.unresolved <> ${neverResolved}`,
    );
  },
  confirm,
};
