// The common parts of statements that resolve tasks: dependents are released, groups counted, and the events are logged.
import { sql, waking, type Sql } from "../../../../core/sql.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { events, groupWords } from "../../sql/event-rows.ts";
import { unfinishedTopic } from "../../sql/wakes.ts";

/**
 * The maximum number of edges that one statement marks. A thousand take about 70 ms, during which the group's row is
 * locked. releaseMore releases the rest after the commit.
 */
const MAX_EDGES = 1000;

/**
 * CTEs that release the dependents of resolved tasks. `resolved` selects at most one row with the arrays `ids` and
 * `states`. They end with `released` (task, run: the dependents that became pending, with their run) and `unfinished`
 * (more: whether dependents remain for releaseMore).
 */
export const releaseDependents = (resolved: Sql, at: string): Sql => sql`
    release_result as (
      select r.dependent as task, r.first_run as run
      from (${resolved}) f, release_dependents(f.ids, f.states, ${at}::timestamptz, ${MAX_EDGES}::integer) r
    ),
    released as (select task, run from release_result where (run).task_id is not null),
    unfinished as (select exists (select from release_result where (run).task_id is null) as more)`;

/** The column `unfinished`, the same in each row: whether dependents remain for releaseMore. */
export const unfinished: Sql = waking(
  ({ rows }) => (rows[0]?.["unfinished"] === true ? [unfinishedTopic] : []),
  sql`(select more from unfinished) as unfinished`,
);

const groupResolved = events.taskGroupResolved.event(groupWords(sql`(g)`), sql`group_message(g)`);
const logInOrder = logEvents(
  sql`select exchange, routing_key, cc, payload from event order by ord, step, routing_key`,
);

/** The columns of the event `task-pending` of a dependent in `released`. */
export const dependentPending: Sql = sql`${events.taskPending.exchange} as exchange,
        task_routing_key(task, 0::smallint, null, null) as routing_key, (task).routes as cc,
        task_message(task_status(task, run_json(run), 'pending'), (task).tags, 0::smallint, null, null, null)
          as payload`;

/**
 * CTEs that follow the CTEs `final` (task_id, run_id, state, task_group_id: the runs that resolved their tasks) and
 * `own_event` (ord, step, exchange, routing_key, cc, payload: the events of these tasks). They end with `unfinished`
 * (more) and `woken` (queues: where dependents became pending; task_ids: these dependents, if `withReleased`).
 *
 * The count of a group is on its row, which concurrent resolutions lock one after another, so that each reads the count
 * that the other left.
 */
export const afterResolution = (at: string, withReleased: boolean): Sql => sql`
    ${releaseDependents(
      sql`select array_agg(task_id) as ids, array_agg(state) as states from final having count(*) > 0`,
      at,
    )},
    first_resolution as (
      -- A task with a rerun was resolved before, so the group has already counted it. Run 0 does not matter: rerunTask
      -- also adds it to a task that never ran.
      select f.task_group_id, count(*) filter (where not exists (
          select from runs r
          where r.task_id = f.task_id and r.reason_created = 'rerun' and r.run_id between 1 and f.run_id
        ))::integer as n
      from final f group by f.task_group_id
    ),
    counted_group as (
      update task_groups g set unresolved = g.unresolved - n.n
      from (select * from first_resolution order by task_group_id) n
      where g.task_group_id = n.task_group_id
      returning g
    ),
    event as (
      select ord, step, exchange, routing_key, cc, payload from own_event
      union all
      select 9e15, 1, ${dependentPending}
      from released
      union all
      select 9e15, 2, ${groupResolved}
      from counted_group where (g).unresolved = 0
    ),
    logged as (
      ${logInOrder}
    ),
    woken as (
      select array_agg(distinct (run).task_queue_id) as queues,
        array_agg((run).task_id) filter (where ${withReleased}::boolean) as task_ids
      from released
    )`;
