-- What the resolution of tasks means for those that depend on them. A function, since what it does must see all that
-- is committed by now: a statement sees what was committed when it *began*, and by the time one that resolves a task
-- has its lock, a dependent may have been written. Each statement in here begins anew.

-- Returns whether a dependency satisfies its dependent: `state` is that of its latest run (null if it has none), and
-- `any_resolution` whether the dependent requires `all-resolved`. Simple enough to be inlined into the statement.
create or replace function satisfies(state text, any_resolution boolean) returns boolean
language sql immutable parallel safe
return coalesce(state = 'completed' or any_resolution and state in ('failed', 'exception'), false);

-- Marks the edges to tasks that are resolved for good, and makes the first run of every dependent that was
-- waiting for nothing else. To be called in the statement that resolves them, after it locked their rows, and
-- changed any that may be among the dependents as well. Answers the dependents that became pending.
--
-- It marks `most` edges. Where there are more, the tasks go to unfinished_releases and a row of nulls comes with the
-- answer: ten thousand dependents in one statement would hold their group's row for a second, and everybody who
-- resolves another task of the group.
create or replace function release_dependents(resolved text[], states text[], at timestamptz, most integer)
returns table (dependent tasks, first_run runs)
language plpgsql rows 10 as $$
#variable_conflict use_column
declare
  touched text[];
begin
  with next as (
    select e.dependent, e.required
    from unnest(resolved, states) as r (task_id, state) join task_dependencies e on e.required = r.task_id
    where not e.satisfied and satisfies(r.state, e.any_resolution)
    limit most
  ),
  satisfied as (
    update task_dependencies e set satisfied = true
    from next n where e.required = n.required and e.dependent = n.dependent and not e.satisfied
    returning e.dependent
  )
  select array_agg(s.dependent) from satisfied s into touched;
  -- Most tasks have none, and what follows costs more to begin than that to find out.
  if touched is null then
    return;
  end if;

  return query
  -- Whether a dependent may start is a counter on its row, which two resolutions of different dependencies lock
  -- one after the other: each sees what the other left. Asking for unsatisfied edges instead lets both miss each
  -- other, and the dependent waits until its deadline.
  with waiting as (
    select t.task_id, t.run_count, s.n
    from tasks t
    join (select s.task_id, count(*)::integer as n from unnest(touched) as s (task_id) group by s.task_id) s
      using (task_id)
    order by t.task_id
    for no key update of t
  ),
  released as (
    update tasks t set
      unsatisfied = t.unsatisfied - w.n,
      run_count = case
        when t.unsatisfied = w.n and w.run_count = 0 and t.deadline > at then 1
        else t.run_count end
    from waiting w where t.task_id = w.task_id
    returning t as task, w.run_count = 0 and t.run_count = 1 as scheduled
  ),
  scheduled as (
    insert into runs as r (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline)
    select (x.task).task_id, 0, 'pending', 'scheduled', at,
      (x.task).task_queue_id, (x.task).priority, (x.task).deadline
    from released x where x.scheduled order by (x.task).task_id
    returning r as run
  )
  -- Both in one order, side by side. As a join, two results of a thousand rows each would be compared pair by pair, for
  -- they have no index; and the table's own rows are as they were before the wait for the lock.
  select unnest((select array_agg(x.task order by (x.task).task_id) from released x where x.scheduled)),
    unnest((select array_agg(s.run order by (s.run).task_id) from scheduled s));

  if cardinality(touched) < most then
    return;
  end if;
  insert into unfinished_releases (task_id, state)
  select r.task_id, r.state from unnest(resolved, states) as r (task_id, state)
  where exists (
    select from task_dependencies e
    where e.required = r.task_id and not e.satisfied and satisfies(r.state, e.any_resolution))
  on conflict do nothing;
  if found then
    return query select null::tasks, null::runs;
  end if;
end $$;
