// Removing tasks and groups whose time is over, with everything that is theirs.
import Type, { type Static } from "typebox";
import { Timestamp, type Db, type Queryable } from "../../../core/db.ts";
import { sql } from "../../../core/sql.ts";
import { PENDING, RUNNING } from "../sql/run-indexes.ts";

const ExpiredTaskRow = Type.Object({ task_id: Type.String(), expires: Timestamp });
export type ExpiredTaskRow = Static<typeof ExpiredTaskRow>;

/**
 * Tasks that expired before `cutoff` and can go, the longest expired first, from the expiry `from` on. Two kinds stay
 * for now: those that are not resolved, which their deadline ends first (so the counts of groups and the events are
 * right), and those that still have artifacts, whose bytes nobody would find without their rows.
 */
export const expiredTasks = (
  db: Queryable,
  from: string,
  cutoff: string,
  limit: number,
): Promise<ExpiredTaskRow[]> =>
  db.many(
    ExpiredTaskRow,
    sql`
    select t.task_id, t.expires from tasks t
    where t.expires >= ${from}::timestamptz and t.expires < ${cutoff}::timestamptz
      and not exists (select from artifacts a where a.task_id = t.task_id)
      and exists (
        select from runs r where r.task_id = t.task_id and r.run_id = t.run_count - 1
          and r.state in ('completed', 'failed', 'exception'))
    order by t.expires limit ${limit}`,
  );

/**
 * Removes up to about `limit` edges from or to tasks that are over; answers how many. Edges that another process is
 * removing are skipped: two batches may name them in different orders, and would wait for each other.
 */
export const deleteEdges = (db: Queryable, taskIds: readonly string[], limit: number): Promise<number> =>
  db.run(sql`
    with needs as (
      select dependent, required from task_dependencies
      where dependent = any(${taskIds}::text[]) limit ${limit} for update skip locked
    ),
    needed as (
      select dependent, required from task_dependencies
      where required = any(${taskIds}::text[]) limit ${limit} for update skip locked
    )
    delete from task_dependencies e using (select * from needs union select * from needed) x
    where e.dependent = x.dependent and e.required = x.required`);

const GoneRow = Type.Object({ task_id: Type.String() });

/**
 * Removes tasks that nothing hangs on any more: no artifact, no edge, no open run. Answers the ids of those that
 * went. Two statements, since what is asked of a task has to be asked after its lock is held: an artifact that was
 * written just before it would not be seen otherwise. Tasks that somebody else holds are left for the next round.
 */
export const deleteTasks = (db: Db, taskIds: readonly string[], cutoff: string): Promise<string[]> =>
  db.tx(async (tx) => {
    const held = await tx.many(
      GoneRow,
      sql`
      select task_id from tasks where task_id = any(${taskIds}::text[]) and expires < ${cutoff}::timestamptz
      order by task_id for update skip locked`,
    );
    if (held.length === 0) return [];
    const rows = await tx.many(
      GoneRow,
      sql`
      with gone as (
        delete from tasks t
        where t.task_id = any(${held.map((row) => row.task_id)}::text[])
          and not exists (select from artifacts a where a.task_id = t.task_id)
          and not exists (select from task_dependencies e where e.dependent = t.task_id)
          and not exists (select from task_dependencies e where e.required = t.task_id)
          and not exists (
            select from runs r where r.task_id = t.task_id and r.state in (${PENDING}, ${RUNNING}))
        returning t.task_id
      ),
      definition as (delete from task_definitions d using gone g where d.task_id = g.task_id),
      run as (delete from runs r using gone g where r.task_id = g.task_id)
      select task_id from gone`,
    );
    return rows.map((row) => row.task_id);
  });

const ExpiredGroupRow = Type.Object({ expires: Timestamp });

/**
 * Removes groups that expired before `cutoff` and have no task left, from the expiry `from` on; answers the expiries
 * of those that went. Who creates a task in such a group meanwhile moves its expiry on, which is asked again once the
 * row is locked; who comes later makes the group anew.
 */
export const deleteGroups = (
  db: Queryable,
  from: string,
  cutoff: string,
  limit: number,
): Promise<{ expires: Date }[]> =>
  db.many(
    ExpiredGroupRow,
    sql`
    with empty as (
      select g.task_group_id from task_groups g
      where g.expires >= ${from}::timestamptz and g.expires < ${cutoff}::timestamptz
        and not exists (select from tasks t where t.task_group_id = g.task_group_id)
      order by g.expires limit ${limit} for update skip locked
    )
    delete from task_groups g using empty e where g.task_group_id = e.task_group_id
    returning g.expires`,
  );
