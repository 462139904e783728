-- What the migrations and functions add up to. Written by `npm run generate`: do not edit.

create sequence events_id_seq as bigint increment by 1 start with 1;

create table artifacts (
  task_id text collate "C" not null,
  run_id smallint not null,
  name text collate "C" not null,
  storage_type text not null,
  content_type text not null,
  content_length bigint,
  details text not null,
  present boolean not null,
  expires timestamp with time zone not null,
  constraint artifacts_pkey PRIMARY KEY (task_id, run_id, name),
  constraint artifacts_storage_type_check CHECK ((storage_type = ANY (ARRAY['s3'::text, 'object'::text, 'reference'::text, 'link'::text, 'error'::text])))
);
CREATE INDEX artifacts_by_expiry ON public.artifacts USING btree (expires);

create table event_consumers (
  name text not null,
  "position" text not null,
  updated timestamp with time zone default now() not null,
  constraint event_consumers_pkey PRIMARY KEY (name)
);

create table event_dead_letters (
  consumer text not null,
  event_id bigint not null,
  recorded timestamp with time zone not null,
  exchange text not null,
  routing_key text not null,
  cc text[] not null,
  payload text not null,
  attempts integer not null,
  error text not null,
  parked timestamp with time zone default now() not null,
  retry_requested boolean default false not null,
  constraint event_dead_letters_pkey PRIMARY KEY (consumer, event_id)
);
CREATE INDEX event_dead_letters_retry ON public.event_dead_letters USING btree (consumer, event_id) WHERE retry_requested;

create table event_epochs (
  epoch integer not null,
  base_id bigint not null,
  cluster text,
  began timestamp with time zone default now() not null,
  constraint event_epochs_pkey PRIMARY KEY (epoch)
);

create table event_log (
  only_row boolean default true not null,
  tag integer not null,
  dropped_through bigint default 0 not null,
  dropped_before timestamp with time zone,
  constraint event_log_pkey PRIMARY KEY (only_row),
  constraint event_log_only_row_check CHECK (only_row)
);

create table events (
  id bigint default nextval(
CASE
    WHEN (pg_current_xact_id() IS NOT NULL) THEN 'events_id_seq'::regclass
    ELSE NULL::regclass
END) not null,
  epoch integer default 1 not null,
  xid xid8 default pg_current_xact_id() not null,
  recorded timestamp with time zone default now() not null,
  exchange text not null,
  routing_key text not null,
  cc text[] default '{}'::text[] not null,
  payload text not null
) partition by RANGE (recorded);
CREATE INDEX events_id ON ONLY public.events USING btree (id);
CREATE INDEX events_xid ON ONLY public.events USING btree (xid, id);

create table objects (
  name text collate "C" not null,
  project_id text not null,
  upload_id text not null,
  upload_expires timestamp with time zone,
  expires timestamp with time zone not null,
  hashes jsonb not null,
  content_length bigint,
  parts_id text,
  content_id text,
  content_ids text[] default '{}'::text[] not null,
  constraint objects_pkey PRIMARY KEY (name)
);
CREATE INDEX objects_by_expiry ON public.objects USING btree (expires);
CREATE INDEX objects_by_upload_expiry ON public.objects USING btree (upload_expires) WHERE (upload_expires IS NOT NULL);

create table runs (
  task_id text collate "C" not null,
  run_id smallint not null,
  state text not null,
  reason_created text not null,
  reason_resolved text,
  worker_group text,
  worker_id text,
  claim_id text,
  scheduled timestamp with time zone not null,
  started timestamp with time zone,
  taken_until timestamp with time zone,
  resolved timestamp with time zone,
  task_queue_id text collate "C" not null,
  priority smallint not null,
  deadline timestamp with time zone not null,
  seq bigint generated always as identity,
  quiet boolean default false not null,
  constraint runs_pkey PRIMARY KEY (task_id, run_id),
  constraint runs_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'failed'::text, 'exception'::text])))
) with (fillfactor=80);
CREATE INDEX runs_by_claim_id ON public.runs USING btree (claim_id) WHERE (((state || ' by claim id'::text) = 'running by claim id'::text) AND (claim_id IS NOT NULL));
CREATE INDEX runs_claimed ON public.runs USING btree (task_queue_id, started, seq) WHERE (state = 'running'::text);
CREATE INDEX runs_open_by_deadline ON public.runs USING btree (deadline) WHERE ((state || ' by deadline'::text) = ANY (ARRAY['pending by deadline'::text, 'running by deadline'::text]));
CREATE INDEX runs_pending ON public.runs USING btree (task_queue_id, priority DESC, seq) WHERE (state = 'pending'::text);
CREATE INDEX runs_running_by_claim_end ON public.runs USING btree (taken_until) WHERE ((state || ' by claim end'::text) = 'running by claim end'::text);

create table schema_functions (
  name text not null,
  checksum text not null,
  applied_at timestamp with time zone default now() not null,
  constraint schema_functions_pkey PRIMARY KEY (name)
);

create table schema_migrations (
  name text not null,
  checksum text not null,
  breaking boolean not null,
  applied_at timestamp with time zone default now() not null,
  constraint schema_migrations_pkey PRIMARY KEY (name)
);

create table task_definitions (
  task_id text collate "C" not null,
  definition text not null,
  quiet boolean default false not null,
  constraint task_definitions_pkey PRIMARY KEY (task_id)
);

create table task_dependencies (
  dependent text collate "C" not null,
  required text collate "C" not null,
  any_resolution boolean not null,
  satisfied boolean not null,
  constraint task_dependencies_pkey PRIMARY KEY (dependent, required)
) with (fillfactor=80);
CREATE INDEX task_dependencies_by_required ON public.task_dependencies USING btree (required, dependent);

create table task_groups (
  task_group_id text collate "C" not null,
  scheduler_id text not null,
  expires timestamp with time zone not null,
  sealed timestamp with time zone,
  unresolved integer not null,
  constraint task_groups_pkey PRIMARY KEY (task_group_id),
  constraint task_groups_unresolved_check CHECK ((unresolved >= 0))
) with (fillfactor=70);
CREATE INDEX task_groups_by_expiry ON public.task_groups USING btree (expires);

create table task_queue_claims (
  task_queue_id text collate "C" not null,
  minute timestamp with time zone not null,
  claims integer not null,
  constraint task_queue_claims_pkey PRIMARY KEY (task_queue_id, minute)
) with (fillfactor=70);
CREATE INDEX task_queue_claims_by_minute ON public.task_queue_claims USING btree (minute);

create table task_queues (
  task_queue_id text collate "C" not null,
  last_date_active timestamp with time zone not null,
  expires timestamp with time zone not null,
  constraint task_queues_pkey PRIMARY KEY (task_queue_id)
) with (fillfactor=70);
CREATE INDEX task_queues_by_expiry ON public.task_queues USING btree (expires);

create table tasks (
  task_id text collate "C" not null,
  task_group_id text collate "C" not null,
  task_queue_id text collate "C" not null,
  scheduler_id text not null,
  project_id text not null,
  priority smallint not null,
  retries smallint not null,
  retries_left smallint not null,
  run_count smallint not null,
  unsatisfied integer not null,
  deadline timestamp with time zone not null,
  expires timestamp with time zone not null,
  routes text[] not null,
  tags text not null,
  created timestamp with time zone,
  constraint tasks_pkey PRIMARY KEY (task_id),
  constraint tasks_priority_check CHECK (((priority >= 1) AND (priority <= 7))),
  constraint tasks_retries_left_check CHECK ((retries_left >= 0)),
  constraint tasks_run_count_check CHECK ((run_count >= 0)),
  constraint tasks_unsatisfied_check CHECK ((unsatisfied >= 0))
) with (fillfactor=85);
CREATE INDEX tasks_by_expiry ON public.tasks USING btree (expires);
CREATE INDEX tasks_by_group ON public.tasks USING btree (task_group_id, task_id);
CREATE INDEX tasks_unscheduled_by_deadline ON public.tasks USING btree (deadline, task_id) WHERE (run_count = 0);

create table unfinished_releases (
  task_id text collate "C" not null,
  state text not null,
  constraint unfinished_releases_pkey PRIMARY KEY (task_id, state)
);

create table watchdog_checks (
  name text collate "C" not null,
  place text default ''::text not null,
  due timestamp with time zone not null,
  passed timestamp with time zone,
  constraint watchdog_checks_pkey PRIMARY KEY (name)
);

create table watchdog_findings (
  check_name text collate "C" not null,
  subject text collate "C" not null,
  detail text not null,
  first_seen timestamp with time zone not null,
  last_seen timestamp with time zone not null,
  confirmed timestamp with time zone,
  repaired timestamp with time zone,
  ended timestamp with time zone,
  constraint watchdog_findings_pkey PRIMARY KEY (check_name, subject)
);

create table workers (
  task_queue_id text collate "C" not null,
  worker_group text collate "C" not null,
  worker_id text collate "C" not null,
  first_claim timestamp with time zone not null,
  last_date_active timestamp with time zone,
  expires timestamp with time zone not null,
  quarantine_until timestamp with time zone not null,
  quarantine_details text[] default '{}'::text[] not null,
  recent_tasks text[] default '{}'::text[] not null,
  constraint workers_pkey PRIMARY KEY (task_queue_id, worker_group, worker_id)
) with (fillfactor=70);
CREATE INDEX workers_by_end ON public.workers USING btree (GREATEST(expires, quarantine_until));
CREATE INDEX workers_in_quarantine ON public.workers USING btree ((((((task_queue_id || ' '::text) || worker_group) || ' '::text) || worker_id))) WHERE (quarantine_until > first_claim);

CREATE OR REPLACE FUNCTION public.event_log_keep_partitions(at timestamp with time zone, ahead integer, keep interval, OUT made text[], OUT dropped text[], OUT postponed text[])
 RETURNS record
 LANGUAGE plpgsql
 SET lock_timeout TO '200ms'
 SET "TimeZone" TO 'UTC'
AS $function$
declare
  day timestamptz;
  part text;
  last_id bigint;
begin
  made := '{}'; dropped := '{}'; postponed := '{}';

  for day in select generate_series(date_trunc('day', at), at + make_interval(days => ahead), '1 day') loop
    part := 'events_' || to_char(day, 'YYYYMMDD');
    continue when to_regclass(part) is not null;
    begin
      -- Attached, and not made as a partition: that would lock out all readers. Rows that came before their
      -- partition are moved; a reader sees them in one place or the other.
      lock table events_default in access exclusive mode;
      -- Another process may have made it while this one waited.
      continue when to_regclass(part) is not null;
      -- Rows are dropped with their partition long before they need freezing, and mostly under 8 kB: neither
      -- vacuum for inserts nor compression is worth its time.
      execute format(
        'create table %I (like events) '
        'with (autovacuum_vacuum_insert_threshold = -1, toast_tuple_target = 8160)', part);
      execute format(
        'with early as (delete from events_default where recorded >= %L and recorded < %L returning *) '
        'insert into %I select * from early', day, day + interval '1 day', part);
      execute format(
        'alter table events attach partition %I for values from (%L) to (%L)', part, day, day + interval '1 day');
      made := made || part;
    exception when lock_not_available then postponed := postponed || part;
    end;
  end loop;

  for part, day in
    select c.relname, to_date(right(c.relname, 8), 'YYYYMMDD')
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'events'::regclass and c.relname ~ '^events_\d{8}$'
    order by 1
  loop
    exit when day + interval '1 day' > at - keep;
    begin
      lock table events in access exclusive mode;
      -- Dropped by another process meanwhile.
      continue when to_regclass(part) is null;
      execute format('select max(id) from %I', part) into last_id;
      update event_log set dropped_through = greatest(dropped_through, last_id),
        dropped_before = greatest(dropped_before, day + interval '1 day');
      execute format('drop table %I', part);
      dropped := dropped || part;
    exception when lock_not_available then
      postponed := postponed || part;
      exit;
    end;
  end loop;

  -- What ended up in the default partition leaves with its time too.
  if exists (select from events_default where recorded < at - keep) then
    with gone as (delete from events_default where recorded < date_trunc('day', at - keep) returning id)
    update event_log set dropped_through = greatest(dropped_through, (select max(id) from gone)),
      dropped_before = greatest(dropped_before, date_trunc('day', at - keep))
    where exists (select from gone);
  end if;
end $function$
;

CREATE OR REPLACE FUNCTION public.event_log_open()
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  here text;
  known event_epochs;
begin
  -- The oid tells a copy within one cluster, the timeline a restored or promoted one. Each of these functions may
  -- be called by everyone in plain PostgreSQL; where a provider forbids one, what is left has to do.
  select oid::text into here from pg_database where datname = current_database();
  begin
    here := here || '/' || (select system_identifier from pg_control_system());
    here := here || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
  exception when insufficient_privilege or feature_not_supported or undefined_function then null;
  end;
  perform from event_log for update;
  select * into known from event_epochs order by epoch desc limit 1;
  if known.cluster is null then
    update event_epochs set cluster = here where epoch = known.epoch;
  elsif known.cluster <> here then
    -- Nobody is in the middle of an insert now, so `base_id` parts the epochs and all events before are final.
    lock table events in access exclusive mode;
    insert into event_epochs (epoch, base_id, cluster)
    select known.epoch + 1, case when is_called then last_value else last_value - 1 end, here from events_id_seq;
    execute format('alter table events alter column epoch set default %s', known.epoch + 1);
    return known.epoch + 1;
  end if;
  return known.epoch;
end $function$
;

CREATE OR REPLACE FUNCTION public.first_run_json(at timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (('{"runId":0,"state":"pending","reasonCreated":"scheduled","scheduled":"'::text || iso(at)) || '"}'::text)
;

CREATE OR REPLACE FUNCTION public.group_message(g task_groups)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (((((((('{"taskGroupId":"'::text || (g).task_group_id) || '","schedulerId":"'::text) || (g).scheduler_id) || '","expires":"'::text) || iso((g).expires)) || '"'::text) || COALESCE(((',"sealed":"'::text || iso((g).sealed)) || '"'::text), ''::text)) || ',"version":1}'::text)
;

CREATE OR REPLACE FUNCTION public.iso(at timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN to_char((at AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'::text)
;

CREATE OR REPLACE FUNCTION public.priority_name(priority smallint)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (ARRAY['lowest'::text, 'very-low'::text, 'low'::text, 'medium'::text, 'high'::text, 'very-high'::text, 'highest'::text])[priority]
;

CREATE OR REPLACE FUNCTION public.release_dependents(resolved text[], states text[], at timestamp with time zone, most integer)
 RETURNS TABLE(dependent tasks, first_run runs)
 LANGUAGE plpgsql
 ROWS 10
AS $function$
#variable_conflict use_column
declare
  touched text[];
begin
  with next as (
    select e.dependent, e.required
    from unnest(resolved, states) as r (task_id, state) join task_dependencies e on e.required = r.task_id
    where not e.satisfied and (r.state = 'completed' or e.any_resolution)
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
    where e.required = r.task_id and not e.satisfied and (r.state = 'completed' or e.any_resolution))
  on conflict do nothing;
  if found then
    return query select null::tasks, null::runs;
  end if;
end $function$
;

CREATE OR REPLACE FUNCTION public.run_json(r runs)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN ((((((((((((((('{"runId":'::text || (r).run_id) || ',"state":"'::text) || (r).state) || '","reasonCreated":"'::text) || (r).reason_created) || '"'::text) || COALESCE(((',"reasonResolved":"'::text || (r).reason_resolved) || '"'::text), ''::text)) || COALESCE(((((',"workerGroup":"'::text || (r).worker_group) || '","workerId":"'::text) || (r).worker_id) || '"'::text), ''::text)) || COALESCE(((',"takenUntil":"'::text || iso((r).taken_until)) || '"'::text), ''::text)) || ',"scheduled":"'::text) || iso((r).scheduled)) || '"'::text) || COALESCE(((',"started":"'::text || iso((r).started)) || '"'::text), ''::text)) || COALESCE(((',"resolved":"'::text || iso((r).resolved)) || '"'::text), ''::text)) || '}'::text)
;

CREATE OR REPLACE FUNCTION public.runs_of_claim(claim text, queue text)
 RETURNS SETOF runs
 LANGUAGE plpgsql
 ROWS 4
AS $function$
begin
  perform pg_advisory_xact_lock(hashtextextended('claim ' || claim, 0));
  return query
    -- Asks for runs_by_claim_id by name, see its migration.
    select * from runs r
    where r.claim_id = claim and r.task_queue_id = queue and (r.state || ' by claim id') = 'running by claim id';
end $function$
;

CREATE OR REPLACE FUNCTION public.task_key(task_id text, task_queue_id text, scheduler_id text, task_group_id text, run_id smallint, worker_group text, worker_id text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (((((((((((((('primary.'::text || task_id) || '.'::text) || COALESCE((run_id)::text, '_'::text)) || '.'::text) || COALESCE(worker_group, '_'::text)) || '.'::text) || COALESCE(worker_id, '_'::text)) || '.'::text) || replace(task_queue_id, '/'::text, '.'::text)) || '.'::text) || scheduler_id) || '.'::text) || task_group_id) || '._'::text)
;

CREATE OR REPLACE FUNCTION public.task_message(status text, tags text, run_id smallint, worker_group text, worker_id text, taken_until timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN ((((((('{"status":'::text || status) || COALESCE((',"runId":'::text || run_id), ''::text)) || COALESCE(((((',"workerGroup":"'::text || worker_group) || '","workerId":"'::text) || worker_id) || '"'::text), ''::text)) || COALESCE(((',"takenUntil":"'::text || iso(taken_until)) || '"'::text), ''::text)) || ',"task":{"tags":'::text) || tags) || '},"version":1}'::text)
;

CREATE OR REPLACE FUNCTION public.task_routing_key(t tasks, run_id smallint, worker_group text, worker_id text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN task_key((t).task_id, (t).task_queue_id, (t).scheduler_id, (t).task_group_id, run_id, worker_group, worker_id)
;

CREATE OR REPLACE FUNCTION public.task_status(t tasks, runs text, state text)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN task_status_of(task_status_head((t).task_id, (t).task_queue_id, (t).scheduler_id, (t).project_id, (t).task_group_id, (t).priority, (t).deadline, (t).expires, (t).retries_left), runs, state)
;

CREATE OR REPLACE FUNCTION public.task_status_head(task_id text, task_queue_id text, scheduler_id text, project_id text, task_group_id text, priority smallint, deadline timestamp with time zone, expires timestamp with time zone, retries_left smallint)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN ((((((((((((((((((((('{"taskId":"'::text || task_id) || '","provisionerId":"'::text) || split_part(task_queue_id, '/'::text, 1)) || '","workerType":"'::text) || split_part(task_queue_id, '/'::text, 2)) || '","taskQueueId":"'::text) || task_queue_id) || '","schedulerId":"'::text) || scheduler_id) || '","projectId":"'::text) || project_id) || '","taskGroupId":"'::text) || task_group_id) || '","priority":"'::text) || priority_name(priority)) || '","deadline":"'::text) || iso(deadline)) || '","expires":"'::text) || iso(expires)) || '","retriesLeft":'::text) || retries_left)
;

CREATE OR REPLACE FUNCTION public.task_status_of(head text, runs text, state text)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (((((head || ',"state":"'::text) || COALESCE(state, 'unscheduled'::text)) || '","runs":['::text) || COALESCE(runs, ''::text)) || ']}'::text)
;
