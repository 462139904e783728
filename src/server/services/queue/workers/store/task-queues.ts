// Task queues, and the provisioners that their ids name.
import Type, { type Static } from "typebox";
import type { WorkerTypeDeclaration } from "../../../../../api/queue/task-queues.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";

const TaskQueueRow = Type.Object({
  task_queue_id: Type.String(),
  last_date_active: Timestamp,
  expires: Timestamp,
  description: Type.String(),
  stability: Type.Enum(["experimental", "stable", "deprecated"]),
});
export type TaskQueueRow = Static<typeof TaskQueueRow>;

const columns: Sql = sql`task_queue_id, last_date_active, expires, description, stability`;

/** Returns the queue unless it has expired. */
export const readTaskQueue = (
  db: Queryable,
  taskQueueId: string,
  at: string,
): Promise<TaskQueueRow | undefined> =>
  db.maybeOne(
    TaskQueueRow,
    sql`
    select ${columns} from task_queues
    where task_queue_id = ${taskQueueId} and expires > ${at}::timestamptz`,
  );

/** Returns queues with ids above `after` and, if given, below `before`, in order of ids. */
export const readTaskQueues = (
  db: Queryable,
  { after, before }: { readonly after: string; readonly before?: string },
  at: string,
  limit: number,
): Promise<TaskQueueRow[]> =>
  db.many(
    TaskQueueRow,
    sql`
    select ${columns} from task_queues
    where task_queue_id > ${after} collate "C"
      and (${before ?? null}::text is null or task_queue_id < ${before ?? null} collate "C")
      and expires > ${at}::timestamptz
    order by task_queue_id limit ${limit}`,
  );

/** Inserts a queue, or changes what is given. Its expiry is extended to the given one, by default to five days from `at`. */
export const declareTaskQueue = (
  db: Queryable,
  taskQueueId: string,
  { description, stability, expires }: WorkerTypeDeclaration,
  at: string,
): Promise<TaskQueueRow | undefined> =>
  db.maybeOne(
    TaskQueueRow,
    sql`
    insert into task_queues as q (task_queue_id, last_date_active, expires, description, stability)
    values (${taskQueueId}, ${at}::timestamptz,
      coalesce(${expires ?? null}::timestamptz, ${at}::timestamptz + interval '5 days'),
      coalesce(${description ?? null}::text, ''), coalesce(${stability ?? null}::text, 'experimental'))
    on conflict (task_queue_id) do update set
      expires = greatest(q.expires, excluded.expires),
      description = coalesce(${description ?? null}::text, q.description),
      stability = coalesce(${stability ?? null}::text, q.stability)
    returning ${columns}`,
  );

const ProvisionerRow = Type.Object({
  provisioner_id: Type.String(),
  last_date_active: Timestamp,
  expires: Timestamp,
});
export type ProvisionerRow = Static<typeof ProvisionerRow>;

/** Returns provisioners with ids above `after`, in order of ids. Reads all queues, of which there are at most thousands. */
export const readProvisioners = (
  db: Queryable,
  after: string,
  at: string,
  limit: number,
): Promise<ProvisionerRow[]> =>
  db.many(
    ProvisionerRow,
    sql`
    select split_part(task_queue_id, '/', 1) as provisioner_id, max(last_date_active) as last_date_active,
      max(expires) as expires
    from task_queues
    where expires > ${at}::timestamptz and split_part(task_queue_id, '/', 1) > ${after} collate "C"
    group by 1 order by 1 limit ${limit}`,
  );

/** Returns the provisioner if one of its queues has not expired. */
export const readProvisioner = (
  db: Queryable,
  provisionerId: string,
  at: string,
): Promise<ProvisionerRow | undefined> =>
  db.maybeOne(
    ProvisionerRow,
    sql`
    select split_part(task_queue_id, '/', 1) as provisioner_id, max(last_date_active) as last_date_active,
      max(expires) as expires
    from task_queues
    -- All ids that begin with the provisioner and a slash; 0 is the character after the slash.
    where task_queue_id > ${`${provisionerId}/`} collate "C" and task_queue_id < ${`${provisionerId}0`} collate "C"
      and expires > ${at}::timestamptz
    group by 1`,
  );

/** Deletes queues that expired before `cutoff`, and returns their number. Queues that are being written are skipped. */
export const deleteExpiredTaskQueues = (db: Queryable, cutoff: string, limit: number): Promise<number> =>
  db.run(sql`
    with expired as (
      select task_queue_id from task_queues where expires < ${cutoff}::timestamptz
      order by expires limit ${limit} for update skip locked
    )
    delete from task_queues q using expired e where q.task_queue_id = e.task_queue_id`);

/** Deletes the counts of claims in minutes before `cutoff`, and returns their number. */
export const deleteOldClaimCounts = (db: Queryable, cutoff: string, limit: number): Promise<number> =>
  db.run(sql`
    with old as (
      select task_queue_id, minute from task_queue_claims where minute < ${cutoff}::timestamptz
      order by minute limit ${limit} for update skip locked
    )
    delete from task_queue_claims c using old o
    where c.task_queue_id = o.task_queue_id and c.minute = o.minute`);
