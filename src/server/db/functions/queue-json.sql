-- The wire forms of the queue, built where the rows are. Text is joined instead of using json functions, which
-- is three times as fast; that is safe since every value here matches a pattern without quotes and backslashes
-- (ids, states, reasons) or is JSON text already (tags).

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

-- The status of a task, from its row, its runs (JSON texts joined by commas) and the state of the latest.
create or replace function task_status(t tasks, runs text, state text) returns text
language sql stable parallel safe
return '{"taskId":"' || t.task_id
  || '","provisionerId":"' || split_part(t.task_queue_id, '/', 1)
  || '","workerType":"' || split_part(t.task_queue_id, '/', 2)
  || '","taskQueueId":"' || t.task_queue_id
  || '","schedulerId":"' || t.scheduler_id
  || '","projectId":"' || t.project_id
  || '","taskGroupId":"' || t.task_group_id
  || '","priority":"' || priority_name(t.priority)
  || '","deadline":"' || iso(t.deadline)
  || '","expires":"' || iso(t.expires)
  || '","retriesLeft":' || t.retries_left
  || ',"state":"' || coalesce(state, 'unscheduled')
  || '","runs":[' || coalesce(runs, '') || ']}';

create or replace function task_routing_key(t tasks, run_id smallint, worker_group text, worker_id text)
returns text
language sql immutable parallel safe
return 'primary.' || t.task_id
  || '.' || coalesce(run_id::text, '_')
  || '.' || coalesce(worker_group, '_')
  || '.' || coalesce(worker_id, '_')
  || '.' || replace(t.task_queue_id, '/', '.')
  || '.' || t.scheduler_id
  || '.' || t.task_group_id
  || '._';

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
