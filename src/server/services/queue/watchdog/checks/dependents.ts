// An unscheduled task waits for dependencies that do not satisfy it yet, and counts exactly these.
import type { Queryable } from "../../../../core/db.ts";
import Type from "typebox";
import { sql, type Sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { releaseResolved } from "../../resolution/store/release.ts";
import { scheduleTask } from "../../tasks/store/add-run.ts";
import { scanSlice, ViolationRow, type Check, type CheckContext, type Violation } from "../check.ts";

/**
 * The unsatisfied edges of the task `t`, each with whether its dependency is resolved as the edge requires. Dependencies
 * whose many dependents are still being released do not count.
 */
const unsatisfiedEdges: Sql = sql`
        select e.required,
          satisfies(r.state, e.any_resolution)
            and not exists (select from unfinished_releases u where u.task_id = e.required) as met
        from task_dependencies e
        left join tasks q on q.task_id = e.required
        left join runs r on r.task_id = q.task_id and r.run_id = q.run_count - 1
        where e.dependent = t.task_id and not e.satisfied`;

/**
 * How the unscheduled task `t` violates the invariant, or null. After its deadline it is not scheduled any more, and edges
 * may have been removed.
 */
const violationAt = (at: string): Sql => sql`(
      select case
        when t.run_count > 0 or t.deadline <= ${at}::timestamptz then null
        when count(*) filter (where e.met) > 0
          then 'waits for ' || min(e.required) filter (where e.met) || ', which is already resolved as required'
        when t.unsatisfied <> count(*)
          then 'counts ' || t.unsatisfied || ' unsatisfied dependencies but has ' || count(*)
        when count(*) = 0 and not exists (select from runs r where r.task_id = t.task_id)
          then 'has no unsatisfied dependencies but was never scheduled'
      end
      from (${unsatisfiedEdges}) e)`;

const findViolations = (db: Queryable, taskIds: readonly string[], at: string) =>
  db.many(
    ViolationRow,
    sql`
    select t.task_id as subject, v.detail
    from tasks t cross join lateral (select ${violationAt(at)} as detail) v
    where t.task_id = any(${taskIds}::text[]) and v.detail is not null`,
  );

const MetRow = Type.Object({ taskId: Type.String(), state: Type.String() });

/** Returns the dependencies of unsatisfied edges that are resolved as the edge requires. */
const readMetDependencies = (db: Queryable, taskIds: readonly string[]) =>
  db.many(
    MetRow,
    sql`
    select distinct e.required as "taskId", r.state
    from task_dependencies e
    join tasks q on q.task_id = e.required
    join runs r on r.task_id = q.task_id and r.run_id = q.run_count - 1
    where e.dependent = any(${taskIds}::text[]) and not e.satisfied and satisfies(r.state, e.any_resolution)`,
  );

const correctCounts = (db: Queryable, taskIds: readonly string[]) =>
  db.run(sql`
    update tasks t set unsatisfied = c.edges
    from unnest(${taskIds}::text[]) i (task_id) cross join lateral (
      select count(*)::integer as edges from task_dependencies e where e.dependent = i.task_id and not e.satisfied
    ) c
    where t.task_id = i.task_id and t.run_count = 0 and t.unsatisfied <> c.edges`);

/** Locks the tasks and their unsatisfied dependencies, in one order. */
const lock = (tx: Queryable, taskIds: readonly string[]) =>
  tx.run(sql`
    select from tasks where task_id = any(
      ${taskIds}::text[] || array(
        select e.required from task_dependencies e where e.dependent = any(${taskIds}::text[]) and not e.satisfied)
    ) order by task_id for no key update`);

async function confirm(ctx: CheckContext, subjects: readonly string[]): Promise<Violation[]> {
  const { violations, pending } = await ctx.db.tx(async (tx) => {
    const pending: string[] = [];
    await lock(tx, subjects);
    const { at } = ctx;
    const found = await findViolations(tx, subjects, at);
    if (found.length === 0) return { violations: [], pending };
    const taskIds = column(found, "subject");
    // First the counts are made to match the edges, so that releasing can decrement them.
    await correctCounts(tx, taskIds);
    const met = await readMetDependencies(tx, taskIds);
    if (met.length > 0) {
      const released = await releaseResolved(tx, met, at);
      pending.push(...released.released);
    }
    for (const { subject } of await findViolations(tx, taskIds, at)) {
      if (await scheduleTask(tx, subject, at)) pending.push(subject);
    }
    const remaining = new Set(column(await findViolations(tx, taskIds, at), "subject"));
    return { violations: found.map((row) => ({ ...row, repaired: !remaining.has(row.subject) })), pending };
  });
  ctx.recordReleased(pending);
  return violations;
}

/** Average number of edges per task that a slice may have; a task with more edges than a slice is scanned alone. */
const EDGES_PER_TASK = 3;

export const dependents: Check = {
  name: "dependents",
  means: "An unscheduled task waits for dependencies that do not satisfy it yet, and counts exactly these.",
  repair:
    "satisfied dependencies are marked, the count is corrected, and a task that waits for nothing is scheduled",
  scan: ({ db, at }, place, limit) => {
    const [deadline = "-infinity", taskId = ""] = place === "" ? [] : place.split(" ");
    // A task may have ten thousand edges, so the slice also ends when its tasks have too many together.
    const maxEdges = limit * EDGES_PER_TASK;
    const slice = sql`
      select * from (
        select t.*, to_char(deadline at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ' ' || task_id as place,
          row_number() over (order by deadline, task_id) as n,
          sum(c.edges) over (order by deadline, task_id) - c.edges as before
        from (
          select * from tasks
          where run_count = 0 and (deadline, task_id) > (${deadline}::timestamptz, ${taskId} collate "C")
          order by deadline, task_id limit ${limit}
        ) t cross join lateral (
          select count(*) as edges from task_dependencies e where e.dependent = t.task_id
        ) c
      ) x where before <= ${maxEdges}::bigint`;
    return scanSlice(
      db,
      slice,
      sql`select t.task_id as subject from slice t where ${violationAt(at)} is not null`,
    );
  },
  confirm,
};
