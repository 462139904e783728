// Deletes expired tasks, with everything that belongs to them, and expired groups.
import Type, { type Static } from "typebox";
import { Timestamp, type Db, type Queryable } from "../../../core/db.ts";
import { sql } from "../../../core/sql.ts";
import { PENDING, RUNNING } from "../sql/run-indexes.ts";

const ExpiredTaskRow = Type.Object({ task_id: Type.String(), expires: Timestamp });
export type ExpiredTaskRow = Static<typeof ExpiredTaskRow>;

/**
 * Returns tasks that expired between `from` and `cutoff`, in order of expiration, and can be deleted. Unresolved tasks
 * cannot: the loop deadline resolves them first, so that the counts of groups and the events are correct. Nor can tasks
 * with artifacts: without their rows, the content of the artifacts would never be deleted.
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
 * Deletes up to about `limit` edges from and to the tasks, and returns their number. Edges that another process is deleting
 * are skipped: two batches may lock edges in different orders, and would deadlock.
 */
export const deleteEdges = (db: Queryable, taskIds: readonly string[], limit: number): Promise<number> =>
  db.run(sql`
    with to_required as (
      select dependent, required from task_dependencies
      where dependent = any(${taskIds}::text[]) limit ${limit} for update skip locked
    ),
    to_dependents as (
      select dependent, required from task_dependencies
      where required = any(${taskIds}::text[]) limit ${limit} for update skip locked
    )
    delete from task_dependencies e using (select * from to_required union select * from to_dependents) x
    where e.dependent = x.dependent and e.required = x.required`);

const DeletedRow = Type.Object({ task_id: Type.String() });

/**
 * Deletes tasks without artifacts, edges and open runs, and returns their ids. The first statement locks the tasks and the
 * second checks them, so that it sees, for example, an artifact that was committed just before the lock. Tasks that are
 * locked are skipped until the next iteration.
 */
export const deleteTasks = (db: Db, taskIds: readonly string[], cutoff: string): Promise<string[]> =>
  db.tx(async (tx) => {
    const locked = await tx.many(
      DeletedRow,
      sql`
      select task_id from tasks where task_id = any(${taskIds}::text[]) and expires < ${cutoff}::timestamptz
      order by task_id for update skip locked`,
    );
    if (locked.length === 0) return [];
    const rows = await tx.many(
      DeletedRow,
      sql`
      with deleted as (
        delete from tasks t
        where t.task_id = any(${locked.map((row) => row.task_id)}::text[])
          and not exists (select from artifacts a where a.task_id = t.task_id)
          and not exists (select from task_dependencies e where e.dependent = t.task_id)
          and not exists (select from task_dependencies e where e.required = t.task_id)
          and not exists (
            select from runs r where r.task_id = t.task_id and r.state in (${PENDING}, ${RUNNING}))
        returning t.task_id
      ),
      definition as (delete from task_definitions d using deleted x where d.task_id = x.task_id),
      run as (delete from runs r using deleted x where r.task_id = x.task_id)
      select task_id from deleted`,
    );
    return rows.map((row) => row.task_id);
  });

const ExpiredGroupRow = Type.Object({ expires: Timestamp });

/**
 * Deletes groups that expired between `from` and `cutoff` and have no tasks, and returns their expirations. A concurrent
 * createTask extends the expiration of such a group, which is checked again after the lock. A later one creates the group
 * again.
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
