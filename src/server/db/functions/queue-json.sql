-- The queue's JSON forms, built in the database. Concatenating text is three times as fast as the json functions. It is safe
-- because each value either matches a pattern without quotes and backslashes (ids, states, reasons) or is already JSON text
-- (tags). A test compares the columns with the patterns: services/queue/sql/json-text.test.ts.

create or replace function iso(at timestamptz) returns text
language sql stable parallel safe
return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

create or replace function priority_name(priority smallint) returns text
language sql immutable parallel safe
return (array['lowest', 'very-low', 'low', 'medium', 'high', 'very-high', 'highest'])[priority];

create or replace function run_json(r runs) returns text
language sql stable parallel safe
return '{"runId":' || r.run_id
  || ',"state":"' || r.state
  || '","reasonCreated":"' || r.reason_created || '"'
  || coalesce(',"reasonResolved":"' || r.reason_resolved || '"', '')
  || coalesce(',"workerGroup":"' || r.worker_group || '","workerId":"' || r.worker_id || '"', '')
  || coalesce(',"takenUntil":"' || iso(r.taken_until) || '"', '')
  || ',"scheduled":"' || iso(r.scheduled) || '"'
  || coalesce(',"started":"' || iso(r.started) || '"', '')
  || coalesce(',"resolved":"' || iso(r.resolved) || '"', '')
  || '}';

-- Returns what run_json returns for a run 0 that becomes pending at `at`, for statements that have no row of it.
create or replace function first_run_json(at timestamptz) returns text
language sql stable parallel safe
return '{"runId":0,"state":"pending","reasonCreated":"scheduled","scheduled":"' || iso(at) || '"}';

-- Returns the beginning of a status, without the runs. It takes columns instead of a row, because insertTasks has no row.
create or replace function task_status_head(
  task_id text, task_queue_id text, scheduler_id text, project_id text, task_group_id text, priority smallint,
  deadline timestamptz, expires timestamptz, retries_left smallint
) returns text
language sql stable parallel safe
return '{"taskId":"' || task_id
  || '","provisionerId":"' || split_part(task_queue_id, '/', 1)
  || '","workerType":"' || split_part(task_queue_id, '/', 2)
  || '","taskQueueId":"' || task_queue_id
  || '","schedulerId":"' || scheduler_id
  || '","projectId":"' || project_id
  || '","taskGroupId":"' || task_group_id
  || '","priority":"' || priority_name(priority)
  || '","deadline":"' || iso(deadline)
  || '","expires":"' || iso(expires)
  || '","retriesLeft":' || retries_left;

-- Returns a status from its beginning, the runs (JSON texts joined by commas) and the state of the latest run.
create or replace function task_status_of(head text, runs text, state text) returns text
language sql stable parallel safe
return head || ',"state":"' || coalesce(state, 'unscheduled') || '","runs":[' || coalesce(runs, '') || ']}';

create or replace function task_status(t tasks, runs text, state text) returns text
language sql stable parallel safe
return task_status_of(
  task_status_head(
    t.task_id, t.task_queue_id, t.scheduler_id, t.project_id, t.task_group_id, t.priority, t.deadline, t.expires,
    t.retries_left
  ),
  runs, state
);

create or replace function task_key(
  task_id text, task_queue_id text, scheduler_id text, task_group_id text,
  run_id smallint, worker_group text, worker_id text
) returns text
language sql immutable parallel safe
return 'primary.' || task_id
  || '.' || coalesce(run_id::text, '_')
  || '.' || coalesce(worker_group, '_')
  || '.' || coalesce(worker_id, '_')
  || '.' || replace(task_queue_id, '/', '.')
  || '.' || scheduler_id
  || '.' || task_group_id
  || '._';

create or replace function task_routing_key(t tasks, run_id smallint, worker_group text, worker_id text)
returns text
language sql immutable parallel safe
return task_key(
  t.task_id, t.task_queue_id, t.scheduler_id, t.task_group_id, run_id, worker_group, worker_id
);

create or replace function task_message(
  status text, tags text, run_id smallint, worker_group text, worker_id text, taken_until timestamptz
) returns text
language sql stable parallel safe
return '{"status":' || status
  || coalesce(',"runId":' || run_id, '')
  || coalesce(',"workerGroup":"' || worker_group || '","workerId":"' || worker_id || '"', '')
  || coalesce(',"takenUntil":"' || iso(taken_until) || '"', '')
  || ',"task":{"tags":' || tags || '},"version":1}';

create or replace function group_message(g task_groups) returns text
language sql stable parallel safe
return '{"taskGroupId":"' || g.task_group_id
  || '","schedulerId":"' || g.scheduler_id
  || '","expires":"' || iso(g.expires) || '"'
  || coalesce(',"sealed":"' || iso(g.sealed) || '"', '')
  || ',"version":1}';
