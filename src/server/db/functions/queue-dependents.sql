-- Dependencies and their dependents.

-- Reports whether a dependency satisfies its dependent: `state` is that of its latest run (null if it has none), and
-- `any_resolution` whether the dependent requires `all-resolved`. Simple enough to be inlined into the statement.
create or replace function satisfies(state text, any_resolution boolean) returns boolean
language sql immutable parallel safe
return coalesce(state = 'completed' or any_resolution and state in ('failed', 'exception'), false);

-- Marks the edges to resolved tasks as satisfied, and adds the first run to every dependent that has no other unsatisfied
-- edges. Returns the dependents that became pending. It is called in the statement that resolves the tasks, after that
-- statement has locked their rows and changed those that may be among the dependents too.
--
-- This is a function because it must see everything that is committed now. A statement sees what was committed when it
-- began, and a dependent may have been written while the statement that resolves the task waited for its lock. Each
-- statement of a function takes a new snapshot.
--
-- At most `most` edges are marked. If there are more, the tasks are added to unfinished_releases, and the result contains a
-- row of nulls. Ten thousand dependents in one statement would lock their group's row for a second, and delay other
-- resolutions in the group.
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
  -- Most tasks have no dependents, and starting the next statement costs more than this one.
  if touched is null then
    return;
  end if;

  return query
  -- The number of unsatisfied edges is a counter on the dependent's row. Two resolutions of different dependencies lock the
  -- row one after the other, so the second sees the first one's count. If they searched for unsatisfied edges instead, each
  -- could miss the other, and the dependent would wait until its deadline.
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
  -- Two arrays in the same order. A join would compare the two results of up to a thousand rows pair by pair, since they
  -- have no index. The tables themselves are still read as they were before the wait for the lock.
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
