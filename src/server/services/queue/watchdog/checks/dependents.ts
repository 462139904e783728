// Whoever waits for dependencies waits for ones that are not resolved, and for as many as it counts.
import type { Queryable } from "../../../../core/db.ts";
import Type from "typebox";
import { sql, type Sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { releaseResolved } from "../../resolution/store/release.ts";
import { scheduleTask } from "../../tasks/store/schedule-run.ts";
import { lookAt, VerdictRow, type Check, type CheckContext, type Verdict } from "../check.ts";

/**
 * The unsatisfied edges of the task `t`, each with whether its dependency is resolved as it requires, and not among
 * those whose many dependents are still being released.
 */
const unsatisfiedEdges: Sql = sql`
        select e.required,
          coalesce(r.state = 'completed' or e.any_resolution and r.state in ('failed', 'exception'), false)
            and not exists (select from unfinished_releases u where u.task_id = e.required) as met
        from task_dependencies e
        left join tasks q on q.task_id = e.required
        left join runs r on r.task_id = q.task_id and r.run_id = q.run_count - 1
        where e.dependent = t.task_id and not e.satisfied`;

/** What is wrong with the unscheduled task `t`, or null. Past its deadline it only ends, and edges may be gone. */
const faultAt = (at: string): Sql => sql`(
      select case
        when t.run_count > 0 or t.deadline <= ${at}::timestamptz then null
        when count(*) filter (where e.met) > 0
          then 'waits for ' || min(e.required) filter (where e.met) || ', which is resolved as it requires'
        when t.unsatisfied <> count(*)
          then 'counts ' || t.unsatisfied || ' dependencies that are not met, and has ' || count(*)
        when count(*) = 0 and not exists (select from runs r where r.task_id = t.task_id)
          then 'waits for nothing and was never scheduled'
      end
      from (${unsatisfiedEdges}) e)`;

const faultsOf = (db: Queryable, taskIds: readonly string[], at: string) =>
  db.many(
    VerdictRow,
    sql`
    select t.task_id as subject, f.detail
    from tasks t cross join lateral (select ${faultAt(at)} as detail) f
    where t.task_id = any(${taskIds}::text[]) and f.detail is not null`,
  );

const MetRow = Type.Object({ taskId: Type.String(), state: Type.String() });

/** Dependencies that are resolved, of edges that are not satisfied. */
const metDependencies = (db: Queryable, taskIds: readonly string[]) =>
  db.many(
    MetRow,
    sql`
    select distinct e.required as "taskId", r.state
    from task_dependencies e
    join tasks q on q.task_id = e.required
    join runs r on r.task_id = q.task_id and r.run_id = q.run_count - 1
    where e.dependent = any(${taskIds}::text[]) and not e.satisfied
      and (r.state = 'completed' or e.any_resolution and r.state in ('failed', 'exception'))`,
  );

const recount = (db: Queryable, taskIds: readonly string[]) =>
  db.run(sql`
    update tasks t set unsatisfied = c.edges
    from unnest(${taskIds}::text[]) i (task_id) cross join lateral (
      select count(*)::integer as edges from task_dependencies e where e.dependent = i.task_id and not e.satisfied
    ) c
    where t.task_id = i.task_id and t.run_count = 0 and t.unsatisfied <> c.edges`);

/** The tasks, and those that they wait for, in one order. */
const lock = (tx: Queryable, taskIds: readonly string[]) =>
  tx.run(sql`
    select from tasks where task_id = any(
      ${taskIds}::text[] || array(
        select e.required from task_dependencies e where e.dependent = any(${taskIds}::text[]) and not e.satisfied)
    ) order by task_id for no key update`);

async function judge(ctx: CheckContext, subjects: readonly string[]): Promise<Verdict[]> {
  const { verdicts, pending } = await ctx.db.tx(async (tx) => {
    const pending: string[] = [];
    await lock(tx, subjects);
    const { at } = ctx;
    const faults = await faultsOf(tx, subjects, at);
    if (faults.length === 0) return { verdicts: [], pending };
    const wrong = column(faults, "subject");
    // The edges say what the count has to be; then releasing can count it down.
    await recount(tx, wrong);
    const met = await metDependencies(tx, wrong);
    if (met.length > 0) {
      const released = await releaseResolved(tx, met, at);
      pending.push(...released.released);
    }
    for (const { subject } of await faultsOf(tx, wrong, at)) {
      if (await scheduleTask(tx, subject, at)) pending.push(subject);
    }
    const left = new Set(column(await faultsOf(tx, wrong, at), "subject"));
    return { verdicts: faults.map((row) => ({ ...row, repaired: !left.has(row.subject) })), pending };
  });
  ctx.recordReleased(pending);
  return verdicts;
}

/** Edges that a slice may have for each of its tasks; one task with more is a slice by itself. */
const EDGES = 3;

export const dependents: Check = {
  name: "dependents",
  means:
    "An unscheduled task waits for dependencies that are not resolved as it requires, and for as many as it counts.",
  repair:
    "met dependencies are counted, the count is made anew, and a task that waits for nothing is scheduled",
  look: ({ db, at }, place, limit) => {
    const [deadline = "-infinity", taskId = ""] = place === "" ? [] : place.split(" ");
    // A task may have ten thousand edges: the slice ends where there are too many of them together.
    const edgesAtOnce = limit * EDGES;
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
      ) x where before <= ${edgesAtOnce}::bigint`;
    return lookAt(db, slice, sql`select t.task_id as subject from slice t where ${faultAt(at)} is not null`);
  },
  judge,
};
