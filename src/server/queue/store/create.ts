// Writing new tasks: group, task, definition, dependencies, first run and events in one statement.
import Type, { type Static } from "typebox";
import type { Queryable } from "../../core/db.ts";
import { sql } from "../../core/sql.ts";
import { column } from "./columns.ts";
import { exchanges, logEvents } from "./event-rows.ts";

export interface NewTask {
  readonly taskId: string;
  readonly taskGroupId: string;
  readonly taskQueueId: string;
  readonly schedulerId: string;
  readonly projectId: string;
  /** 1 (lowest) to 7 (highest). */
  readonly priority: number;
  readonly retries: number;
  /** Whether any resolution of a dependency satisfies the task, or only `completed`. */
  readonly anyResolution: boolean;
  readonly dependencies: readonly string[];
  /** Times as ISO text. */
  readonly deadline: string;
  readonly expires: string;
  readonly routes: readonly string[];
  /** JSON text. */
  readonly tags: string;
  /** JSON text. */
  readonly definition: string;
}

const CreatedRow = Type.Object({
  ord: Type.Integer(),
  outcome: Type.Enum([
    "created",
    "known",
    "refused-by-group",
    "missing-dependencies",
    "expiring-dependencies",
  ]),
  /** The dependencies that the outcome is about. */
  about: Type.Union([Type.Array(Type.String()), Type.Null()]),
  status: Type.Union([Type.String(), Type.Null()]),
  /** Queue in which a run became pending. */
  pending_in: Type.Union([Type.String(), Type.Null()]),
});
export type CreatedRow = Static<typeof CreatedRow>;

/**
 * Keeps the required tasks from being resolved until the transaction ends. Without it, a dependency that
 * resolves while its dependent is written would see no dependent, and the dependent would see it unresolved:
 * it would wait for ever.
 */
export const lockRequired = (db: Queryable, taskIds: readonly string[]): Promise<number> =>
  db.run(sql`select task_id from tasks where task_id = any(${taskIds}::text[]) order by task_id for share`);

/**
 * Writes tasks that are not known yet; a row for each input says what became of it. A task that is known
 * already is left alone. A concurrent writer of the same id makes the statement fail (unique violation): run
 * again, it finds the task known.
 *
 * `groupMarginMs` is how much longer than its last task a group lives.
 */
export function insertTasks(
  db: Queryable,
  tasks: readonly NewTask[],
  at: string,
  groupMarginMs: number,
): Promise<CreatedRow[]> {
  const edges = tasks.flatMap((t) => t.dependencies.map((required) => ({ dependent: t.taskId, required })));
  return db.many(
    CreatedRow,
    sql`
    with input as (
      select * from unnest(
        ${column(tasks, "taskId")}::text[], ${column(tasks, "taskGroupId")}::text[],
        ${column(tasks, "taskQueueId")}::text[], ${column(tasks, "schedulerId")}::text[],
        ${column(tasks, "projectId")}::text[], ${column(tasks, "priority")}::smallint[],
        ${column(tasks, "retries")}::smallint[], ${column(tasks, "anyResolution")}::boolean[],
        ${column(tasks, "deadline")}::timestamptz[], ${column(tasks, "expires")}::timestamptz[],
        ${tasks.map((t) => JSON.stringify(t.routes))}::text[], ${column(tasks, "tags")}::text[],
        ${column(tasks, "definition")}::text[]
      ) with ordinality as i (
        task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, any_resolution,
        deadline, expires, routes, tags, definition, ord
      )
    ),
    known as (select t.task_id from tasks t where t.task_id = any(${column(tasks, "taskId")}::text[])),
    edge as (
      select i.task_id as dependent, e.required, i.any_resolution,
        -- A task may require itself: then it waits until it is scheduled by hand.
        q.task_id is not null or e.required = e.dependent as found,
        q.expires < i.deadline as expiring,
        coalesce(r.state = 'completed' or (i.any_resolution and r.state in ('failed', 'exception')), false)
          as satisfied
      from unnest(${column(edges, "dependent")}::text[], ${column(edges, "required")}::text[])
        as e (dependent, required)
      join input i on i.task_id = e.dependent
      left join tasks q on q.task_id = e.required
      left join runs r on r.task_id = q.task_id and r.run_id = q.run_count - 1
      where i.task_id not in (select task_id from known)
    ),
    needs as (
      select dependent as task_id,
        count(*) filter (where not satisfied)::integer as unsatisfied,
        array_agg(required order by required) filter (where not found) as missing,
        array_agg(required order by required) filter (where expiring) as expiring
      from edge group by dependent
    ),
    fresh as (
      select i.*, coalesce(n.unsatisfied, 0) as unsatisfied
      from input i left join needs n using (task_id)
      where i.task_id not in (select task_id from known) and n.missing is null and n.expiring is null
    ),
    -- Counts its new tasks in the same step: see task_groups.unresolved. A group that is sealed or belongs to
    -- another scheduler is not returned, and its tasks are not written.
    grp as (
      insert into task_groups as g (task_group_id, scheduler_id, expires, unresolved)
      select task_group_id, scheduler_id,
        max(expires) + ${groupMarginMs} * interval '1 millisecond', count(*)::integer
      from fresh group by task_group_id, scheduler_id order by task_group_id
      on conflict (task_group_id) do update
        set expires = greatest(g.expires, excluded.expires), unresolved = g.unresolved + excluded.unresolved
        where g.scheduler_id = excluded.scheduler_id and g.sealed is null
      returning g.task_group_id, g.scheduler_id
    ),
    accepted as (select f.* from fresh f join grp using (task_group_id, scheduler_id)),
    task as (
      insert into tasks as t (
        task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, retries_left,
        run_count, unsatisfied, deadline, expires, routes, tags, created
      )
      select task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, retries,
        (unsatisfied = 0)::integer, unsatisfied, deadline, expires,
        case routes when '[]' then '{}' else array(select json_array_elements_text(routes::json)) end, tags,
        ${at}::timestamptz
      from accepted order by ord
      returning t.task_id, t as task
    ),
    definition as (
      insert into task_definitions (task_id, definition) select task_id, definition from accepted
    ),
    dependency as (
      insert into task_dependencies (dependent, required, any_resolution, satisfied)
      select e.dependent, e.required, e.any_resolution, e.satisfied
      from edge e join accepted a on a.task_id = e.dependent
    ),
    run as (
      insert into runs as r (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline)
      select task_id, 0, 'pending', 'scheduled', ${at}::timestamptz, task_queue_id, priority, deadline
      from accepted where unsatisfied = 0 order by ord
      returning r.task_id, r as run
    ),
    outcome as (
      select i.ord, t.task,
        case when (r.run).task_id is not null then task_status(t.task, run_json(r.run), 'pending') end as pending
      from input i join task t using (task_id) left join run r using (task_id)
    ),
    event as (
      select o.ord, 1 as step, ${exchanges.taskDefined} as exchange,
        task_routing_key(o.task, null, null, null) as routing_key, (o.task).routes as cc,
        task_message(task_status(o.task, null, null), (o.task).tags, null, null, null, null) as payload
      from outcome o
      union all
      select o.ord, 2, ${exchanges.taskPending}, task_routing_key(o.task, 0::smallint, null, null),
        (o.task).routes, task_message(o.pending, (o.task).tags, 0::smallint, null, null, null)
      from outcome o where o.pending is not null
    ),
    logged as (${logEvents(sql`select exchange, routing_key, cc, payload from event order by ord, step`)})
    select i.ord::integer,
      case
        when o.ord is not null then 'created'
        when k.task_id is not null then 'known'
        when n.missing is not null then 'missing-dependencies'
        when n.expiring is not null then 'expiring-dependencies'
        else 'refused-by-group'
      end as outcome,
      coalesce(n.missing, n.expiring) as about,
      coalesce(o.pending, task_status(o.task, null, null)) as status,
      case when o.pending is not null then i.task_queue_id end as pending_in
    from input i
    left join outcome o using (ord)
    left join known k using (task_id)
    left join needs n using (task_id)
    order by i.ord`,
  );
}
