// What follows when runs reach their final resolution, as parts of the statements that resolve them: dependents
// are scheduled, groups announced, and all of it is written to the event log, in this order.
import { sql, type Sql } from "../../core/sql.ts";
import { exchanges, logEvents } from "./event-rows.ts";

/**
 * CTEs that follow a CTE `final` (task_id, run_id, state, task_group_id: the runs that were resolved for good),
 * and a CTE `own_event` (ord, step, exchange, routing_key, cc, payload: the events of those tasks themselves).
 * They give `pending_in` (task_queue_id), the queues in which dependents became pending.
 *
 * Dependents and groups are counted on their own rows, which two resolutions of different dependencies lock one
 * after the other: each sees what the other left. Counting edges instead (`not exists (unsatisfied)`) lets both
 * miss each other, and the dependent waits until its deadline.
 */
export const afterResolution = (at: string): Sql => sql`
    satisfied as (
      update task_dependencies e set satisfied = true
      from final f
      where e.required = f.task_id and not e.satisfied and (f.state = 'completed' or e.any_resolution)
      returning e.dependent
    ),
    dependent as (select dependent as task_id, count(*)::integer as n from satisfied group by dependent),
    waiting as (
      select t.task_id, t.run_count, d.n
      from tasks t join dependent d using (task_id)
      order by t.task_id
      for no key update of t
    ),
    released as (
      update tasks t set
        unsatisfied = t.unsatisfied - w.n,
        run_count = case
          when t.unsatisfied = w.n and w.run_count = 0 and t.deadline > ${at}::timestamptz then 1
          else t.run_count end
      from waiting w where t.task_id = w.task_id
      returning t as task, w.run_count = 0 and t.run_count = 1 as scheduled
    ),
    scheduled as (
      insert into runs as r (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline)
      select (task).task_id, 0, 'pending', 'scheduled', ${at}::timestamptz,
        (task).task_queue_id, (task).priority, (task).deadline
      from released where scheduled order by (task).task_id
      returning r as run
    ),
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
      select 9e15, 1, ${exchanges.taskPending}, task_routing_key(x.task, 0::smallint, null, null), (x.task).routes,
        task_message(
          task_status(x.task, run_json(s.run), 'pending'), (x.task).tags, 0::smallint, null, null, null)
      from released x join scheduled s on (s.run).task_id = (x.task).task_id
      union all
      select 9e15, 2, ${exchanges.taskGroupResolved},
        'primary.' || (g).task_group_id || '.' || (g).scheduler_id || '._', '{}', group_message(g)
      from counted_group where (g).unresolved = 0
    ),
    logged as (
      ${logEvents(sql`select exchange, routing_key, cc, payload from event order by ord, step, routing_key`)}
    ),
    woken as (select array_agg(distinct (run).task_queue_id) as queues from scheduled)`;
