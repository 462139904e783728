// Inserts new tasks: group, task, definition, dependencies, first run and events in one statement.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { TaskDefinition } from "../../../../../api/queue/task.ts";
import type { Queryable } from "../../../../core/db.ts";
import { jsonText, type Json } from "../../../../core/json.ts";
import { sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { events } from "../../sql/event-rows.ts";
import { pendingIn } from "../../sql/wakes.ts";

export interface NewTask {
  readonly taskId: string;
  readonly taskGroupId: string;
  readonly taskQueueId: string;
  readonly schedulerId: string;
  readonly projectId: string;
  /** 1 (lowest) to 7 (highest). */
  readonly priority: number;
  readonly retries: number;
  /** Whether any resolution of a dependency satisfies it, or only `completed`. */
  readonly anyResolution: boolean;
  readonly dependencies: readonly string[];
  /** Times as ISO text. */
  readonly deadline: string;
  readonly expires: string;
  readonly routes: readonly string[];
  readonly tags: Json<TaskDefinition["tags"]>;
  readonly definition: Json<TaskDefinition>;
}

const CreatedRow = Type.Object({
  ord: Type.Integer(),
  outcome: Type.Enum([
    "created",
    "exists",
    "refused-by-group",
    "missing-dependencies",
    "expiring-dependencies",
  ]),
  /** The missing or expiring dependencies. */
  about: Type.Union([Type.Array(Type.String()), Type.Null()]),
  /** The status of a created task. */
  status: Type.Union([jsonText<TaskStatus>(), Type.Null()]),
  /** The queue in which a run became pending. */
  pending_in: Type.Union([Type.String(), Type.Null()]),
});
export type CreatedRow = Static<typeof CreatedRow>;

const logCreated = logEvents(
  sql`select exchange, routing_key, cc, payload from event order by ord, step`,
  ({ status }) => status !== null,
);
const createdIn = pendingIn(sql`case when accepted and run_count = 1 then task_queue_id end`);

/**
 * Prevents the required tasks from being resolved until the transaction ends. Otherwise, if a dependency resolved while its
 * dependent is written, neither transaction would see the other, and the dependent would wait forever.
 */
export const lockRequired = (db: Queryable, taskIds: readonly string[]): Promise<number> =>
  db.run(sql`select task_id from tasks where task_id = any(${taskIds}::text[]) order by task_id for share`);

/**
 * Inserts tasks that do not exist yet, and returns a row with the outcome for each input. If a concurrent statement inserts
 * the same id, this one fails with a unique violation; when retried, it finds that the task exists.
 *
 * `groupMarginMs` is how long a group is kept after its last task expires.
 */
export function insertTasks(
  db: Queryable,
  tasks: readonly NewTask[],
  at: string,
  groupMarginMs: number,
): Promise<CreatedRow[]> {
  const taskIds = column(tasks, "taskId");
  return db.many(
    CreatedRow,
    sql`
    with input as (
      select * from unnest(
        ${taskIds}::text[], ${column(tasks, "taskGroupId")}::text[],
        ${column(tasks, "taskQueueId")}::text[], ${column(tasks, "schedulerId")}::text[],
        ${column(tasks, "projectId")}::text[], ${column(tasks, "priority")}::smallint[],
        ${column(tasks, "retries")}::smallint[], ${column(tasks, "anyResolution")}::boolean[],
        ${tasks.map((t) => t.dependencies.join(","))}::text[],
        ${column(tasks, "deadline")}::timestamptz[], ${column(tasks, "expires")}::timestamptz[],
        ${tasks.map((t) => JSON.stringify(t.routes))}::text[], ${column(tasks, "tags")}::text[],
        ${column(tasks, "definition")}::text[]
      ) with ordinality as i (
        task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, any_resolution,
        dependencies, deadline, expires, routes, tags, definition, ord
      )
    ),
    -- The following CTEs are never joined with each other. They have no index, so a join would compare each row with every
    -- other, which took more than half of the time for a hundred tasks. Instead, rows are looked up by the expression
    -- "in (select …)", which PostgreSQL hashes.
    checked as (
      select i.*, i.task_id in (select t.task_id from tasks t where t.task_id = any(${taskIds}::text[])) as existing, e.*
      from input i cross join lateral (
        select count(*) filter (where not satisfied)::integer as unsatisfied,
          array_agg(required order by required) filter (where not found) as missing,
          array_agg(required order by required) filter (where expiring) as expiring,
          array_agg(required order by required) as required,
          array_agg(satisfied order by required) as satisfied
        from (
          select d.required,
            -- A task may require itself: then it waits for scheduleTask.
            q.task_id is not null or d.required = i.task_id as found,
            q.expires < i.deadline as expiring,
            satisfies(r.state, i.any_resolution) as satisfied
          from unnest(string_to_array(i.dependencies, ',')) as d (required)
          left join tasks q on q.task_id = d.required
          left join runs r on r.task_id = q.task_id and r.run_id = q.run_count - 1
        ) d
      ) e
    ),
    -- Also counts the new tasks in task_groups.unresolved. A group that is sealed or belongs to another scheduler is not
    -- returned, and its tasks are not inserted.
    grp as (
      insert into task_groups as g (task_group_id, scheduler_id, created, expires, unresolved)
      select task_group_id, scheduler_id, ${at}::timestamptz,
        max(expires) + ${groupMarginMs} * interval '1 millisecond', count(*)::integer
      from checked where not existing and missing is null and expiring is null
      group by task_group_id, scheduler_id order by task_group_id collate "C"
      on conflict (task_group_id) do update
        set expires = greatest(g.expires, excluded.expires), unresolved = g.unresolved + excluded.unresolved
        where g.scheduler_id = excluded.scheduler_id and g.sealed is null
      returning g.task_group_id || ' ' || g.scheduler_id as name
    ),
    decided as (
      select *,
        not existing and missing is null and expiring is null
          and task_group_id || ' ' || scheduler_id in (select name from grp) as accepted,
        (unsatisfied = 0)::integer::smallint as run_count,
        case routes when '[]' then '{}' else array(select json_array_elements_text(routes::json)) end as cc
      from checked
    ),
    rendered as (
      select ord, accepted, existing, missing, expiring, task_queue_id, tags, cc, run_count,
        task_status_head(
          task_id, task_queue_id, scheduler_id, project_id, task_group_id, priority, deadline, expires, retries
        ) as head,
        task_key(task_id, task_queue_id, scheduler_id, task_group_id, null, null, null) as defined_key,
        task_key(task_id, task_queue_id, scheduler_id, task_group_id, 0::smallint, null, null) as pending_key,
        first_run_json(${at}::timestamptz) as run
      from decided
    ),
    outcome as (
      select rendered.*, task_status_of(head, null, null) as defined,
        case when run_count = 1 then task_status_of(head, run, 'pending') end as pending
      from rendered
    ),
    task as (
      insert into tasks (
        task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, retries_left,
        run_count, unsatisfied, deadline, expires, routes, tags, created
      )
      select task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, retries,
        run_count, unsatisfied, deadline, expires, cc, tags, ${at}::timestamptz
      from decided where accepted order by ord
    ),
    definition as (
      insert into task_definitions (task_id, definition) select task_id, definition from decided where accepted
    ),
    dependency as (
      insert into task_dependencies (dependent, required, any_resolution, satisfied)
      select d.task_id, e.required, d.any_resolution, e.satisfied
      from decided d, unnest(d.required, d.satisfied) as e (required, satisfied)
      where d.accepted
    ),
    run as (
      insert into runs (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline)
      select task_id, 0, 'pending', 'scheduled', ${at}::timestamptz, task_queue_id, priority, deadline
      from decided where accepted and run_count = 1 order by ord
    ),
    event as (
      select ord, 1 as step, ${events.taskDefined.exchange} as exchange, defined_key as routing_key, cc,
        task_message(defined, tags, null, null, null, null) as payload
      from outcome where accepted
      union all
      select ord, 2, ${events.taskPending.exchange}, pending_key, cc,
        task_message(pending, tags, 0::smallint, null, null, null)
      from outcome where accepted and run_count = 1
    ),
    logged as (${logCreated})
    select ord::integer,
      case
        when accepted then 'created'
        when existing then 'exists'
        when missing is not null then 'missing-dependencies'
        when expiring is not null then 'expiring-dependencies'
        else 'refused-by-group'
      end as outcome,
      coalesce(missing, expiring) as about,
      case when accepted then coalesce(pending, defined) end as status,
      ${createdIn}
    from outcome
    order by ord`,
  );
}
