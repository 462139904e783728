// Writes many new tasks in one transaction, some hundred in a statement. The caller has all of them, and decides which
// dependencies are satisfied.
import Type, { type Static } from "typebox";
import type { TaskDefinition } from "../../../../../api/queue/task.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql, waking } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import type { NewTask } from "../../tasks/store/insert-tasks.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { events } from "../../sql/event-rows.ts";
import { pendingTopic, reorderedTopic } from "../../sql/wakes.ts";

const KnownRow = Type.Object({
  task_id: Type.String(),
  definition: Type.Union([jsonText<TaskDefinition>(), Type.Null()]),
});

/**
 * Reads the tasks that exist among `tasks`. The definition is null if its size differs from that of the given task, since
 * equal definitions have equal sizes; so no more is read than the call has sent.
 */
export const readKnown = (db: Queryable, tasks: readonly NewTask[]): Promise<Static<typeof KnownRow>[]> =>
  db.many(
    KnownRow,
    sql`
    select d.task_id, case when octet_length(d.definition) = given.bytes then d.definition end as definition
    from unnest(
      ${column(tasks, "taskId")}::text[],
      ${tasks.map(({ definition }) => Buffer.byteLength(definition))}::integer[]
    ) as given (task_id, bytes)
    join task_definitions d on d.task_id = given.task_id`,
  );

const RequiredRow = Type.Object({
  task_id: Type.String(),
  expires: Timestamp,
  /** State of the latest run; null if there is none. */
  state: Type.Union([Type.String(), Type.Null()]),
  /** Whether it satisfies dependents that require `all-completed`, and those that require `all-resolved`. */
  completed: Type.Boolean(),
  resolved: Type.Boolean(),
});
export type RequiredRow = Static<typeof RequiredRow>;

/** Reads the tasks that exist among `taskIds`, as dependencies. */
export const readRequired = (db: Queryable, taskIds: readonly string[]): Promise<RequiredRow[]> =>
  db.many(
    RequiredRow,
    sql`
    select t.task_id, t.expires, r.state,
      satisfies(r.state, false) as completed, satisfies(r.state, true) as resolved
    from tasks t left join runs r on r.task_id = t.task_id and r.run_id = t.run_count - 1
    where t.task_id = any(${taskIds}::text[])`,
  );

const GroupOwnerRow = Type.Object({
  task_group_id: Type.String(),
  scheduler_id: Type.String(),
  sealed: Type.Union([Timestamp, Type.Null()]),
});
export type GroupOwnerRow = Static<typeof GroupOwnerRow>;

/** Reads the schedulers of groups that exist, and whether they are sealed. */
export const readGroupOwners = (db: Queryable, taskGroupIds: readonly string[]): Promise<GroupOwnerRow[]> =>
  db.many(
    GroupOwnerRow,
    sql`
    select task_group_id, scheduler_id, sealed
    from task_groups where task_group_id = any(${taskGroupIds}::text[])`,
  );

/** A task, and the number of its dependencies that are not satisfied. */
export type CountedTask = NewTask & { readonly unsatisfied: number };

/**
 * Inserts tasks and definitions, with the events that they are defined. Fails if one of the tasks exists.
 *
 * The transaction may take longer than the lag of queue heads, so its commit wakes `reordered`: claims then read the queues
 * from the start.
 */
export const insertManyTasks = (db: Queryable, tasks: readonly CountedTask[], at: string): Promise<number> =>
  db.run(
    waking(
      () => [reorderedTopic],
      sql`
    with input as (
      select * from unnest(
        ${column(tasks, "taskId")}::text[], ${column(tasks, "taskGroupId")}::text[],
        ${column(tasks, "taskQueueId")}::text[], ${column(tasks, "schedulerId")}::text[],
        ${column(tasks, "projectId")}::text[], ${column(tasks, "priority")}::smallint[],
        ${column(tasks, "retries")}::smallint[], ${column(tasks, "unsatisfied")}::integer[],
        ${column(tasks, "deadline")}::timestamptz[], ${column(tasks, "expires")}::timestamptz[],
        ${tasks.map((t) => JSON.stringify(t.routes))}::text[], ${column(tasks, "tags")}::text[]
      ) with ordinality as i (
        task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, unsatisfied,
        deadline, expires, routes, tags, ord
      )
    ),
    definition as (
      insert into task_definitions (task_id, definition)
      select * from unnest(${column(tasks, "taskId")}::text[], ${column(tasks, "definition")}::text[])
    ),
    task as (
      insert into tasks as t (
        task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, retries_left,
        run_count, unsatisfied, deadline, expires, routes, tags, created
      )
      select task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, retries,
        (unsatisfied = 0)::integer, unsatisfied, deadline, expires,
        case routes when '[]' then '{}' else array(select json_array_elements_text(routes::json)) end, tags,
        ${at}::timestamptz
      from input order by ord
      returning t as task
    )
    ${logEvents(sql`
      select ${events.taskDefined.exchange}, task_routing_key(task, null, null, null), (task).routes,
        task_message(task_status(task, null, null), (task).tags, null, null, null, null)
      from task`)}`,
    ),
  );

export interface Edge {
  readonly dependent: string;
  readonly required: string;
  readonly anyResolution: boolean;
  readonly satisfied: boolean;
}

export const insertEdges = (db: Queryable, edges: readonly Edge[]): Promise<number> =>
  db.run(sql`
    insert into task_dependencies (dependent, required, any_resolution, satisfied)
    select * from unnest(
      ${column(edges, "dependent")}::text[], ${column(edges, "required")}::text[],
      ${column(edges, "anyResolution")}::boolean[], ${column(edges, "satisfied")}::boolean[]
    )`);

/**
 * Inserts the first runs of tasks that this transaction wrote and that wait for nothing, in their order, with their
 * events.
 */
export const insertFirstRuns = (
  db: Queryable,
  tasks: readonly Pick<NewTask, "taskId" | "taskQueueId">[],
  at: string,
): Promise<number> =>
  db.run(
    waking(
      () => tasks.map(({ taskQueueId }) => pendingTopic(taskQueueId)),
      sql`
    with run as (
      insert into runs as r (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline)
      select t.task_id, 0, 'pending', 'scheduled', ${at}::timestamptz, t.task_queue_id, t.priority, t.deadline
      from unnest(${column(tasks, "taskId")}::text[]) with ordinality as i (task_id, ord)
      -- One lookup per id, to keep the order, which a scan of the table would not.
      cross join lateral (select * from tasks t where t.task_id = i.task_id) t
      order by i.ord
      returning r as run
    )
    ${logEvents(sql`
      select ${events.taskPending.exchange}, task_routing_key(t, 0::smallint, null, null), t.routes,
        task_message(task_status(t, run_json(run), 'pending'), t.tags, 0::smallint, null, null, null)
      from run join tasks t on t.task_id = (run.run).task_id`)}`,
    ),
  );

export interface GroupGrowth {
  readonly taskGroupId: string;
  readonly schedulerId: string;
  /** Expiry of the task that expires last. */
  readonly expires: string;
  readonly tasks: number;
}

const GrownRow = Type.Object({ task_group_id: Type.String() });

/**
 * Counts new tasks in their groups, and creates groups that do not exist. Returns the groups that it counted: if one is
 * missing, because it is sealed or belongs to another scheduler, the transaction must not be committed.
 */
export const growGroups = (
  db: Queryable,
  groups: readonly GroupGrowth[],
  at: string,
  groupMarginMs: number,
): Promise<Static<typeof GrownRow>[]> =>
  db.many(
    GrownRow,
    sql`
    insert into task_groups as g (task_group_id, scheduler_id, created, expires, unresolved)
    select i.task_group_id, i.scheduler_id, ${at}::timestamptz,
      i.expires + ${groupMarginMs} * interval '1 millisecond', i.tasks
    from unnest(
      ${column(groups, "taskGroupId")}::text[], ${column(groups, "schedulerId")}::text[],
      ${column(groups, "expires")}::timestamptz[], ${column(groups, "tasks")}::integer[]
    ) as i (task_group_id, scheduler_id, expires, tasks)
    order by i.task_group_id collate "C"
    on conflict (task_group_id) do update
      set expires = greatest(g.expires, excluded.expires), unresolved = g.unresolved + excluded.unresolved
      where g.scheduler_id = excluded.scheduler_id and g.sealed is null
    returning g.task_group_id`,
  );
