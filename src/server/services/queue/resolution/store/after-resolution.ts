// What follows when runs reach their final resolution, as parts of the statements that resolve them: dependents
// are scheduled, groups announced, and all of it is written to the event log, in this order.
import { sql, waking, type Sql } from "../../../../core/sql.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { events, groupWords } from "../../sql/event-rows.ts";
import { unfinishedTopic } from "../../sql/wakes.ts";

/**
 * Dependents that one statement sees to: a thousand take about 70 ms, and hold the row of their group as long. The
 * rest comes after the commit, see releaseMore.
 */
const MOST_EDGES = 1000;

/**
 * CTEs that release the dependents of tasks that are resolved for good; `resolved` is a select of one row, if any, with
 * the arrays `ids` and `states`. They give `released` (task, run: the dependents that became pending, with their run)
 * and `unfinished` (more, of one row: whether there are more than one statement should see to).
 */
export const releaseDependents = (resolved: Sql, at: string): Sql => sql`
    answered as (
      select r.dependent as task, r.first_run as run
      from (${resolved}) f, release_dependents(f.ids, f.states, ${at}::timestamptz, ${MOST_EDGES}::integer) r
    ),
    released as (select task, run from answered where (run).task_id is not null),
    unfinished as (select exists (select from answered where (run).task_id is null) as more)`;

/** The column `unfinished`, the same in each row: whether dependents are left for the next statement. */
export const unfinished: Sql = waking(
  ({ rows }) => (rows[0]?.["unfinished"] === true ? [unfinishedTopic] : []),
  sql`(select more from unfinished) as unfinished`,
);

const groupResolved = events.taskGroupResolved.event(groupWords(sql`(g)`), sql`group_message(g)`);
const logInOrder = logEvents(
  sql`select exchange, routing_key, cc, payload from event order by ord, step, routing_key`,
);

/** The columns of the event that a dependent out of `released` is pending. */
export const dependentPending: Sql = sql`${events.taskPending.exchange} as exchange,
        task_routing_key(task, 0::smallint, null, null) as routing_key, (task).routes as cc,
        task_message(task_status(task, run_json(run), 'pending'), (task).tags, 0::smallint, null, null, null)
          as payload`;

/**
 * CTEs that follow a CTE `final` (task_id, run_id, state, task_group_id: the runs that were resolved for good),
 * and a CTE `own_event` (ord, step, exchange, routing_key, cc, payload: the events of those tasks themselves).
 * They give `woken` (queues, and where `tells` is true task_ids: in which dependents became pending, and which), and
 * `unfinished` (more).
 *
 * Groups are counted on their own rows, which two resolutions lock one after the other: each sees what the other
 * left.
 */
export const afterResolution = (at: string, tells: boolean): Sql => sql`
    ${releaseDependents(
      sql`select array_agg(task_id) as ids, array_agg(state) as states from final having count(*) > 0`,
      at,
    )},
    first_resolution as (
      -- A run made by hand ('rerun') follows a resolution, so the task is counted as resolved already; but run 0
      -- may be made by hand too, on a task that never ran.
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
        array_agg((run).task_id) filter (where ${tells}::boolean) as task_ids
      from released
    )`;
