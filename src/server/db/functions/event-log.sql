-- Maintenance of the event log, which requires DDL with names computed at run time.

-- Called when a server starts. Starts a new epoch if the database has moved to another cluster (restored, upgraded,
-- failed over), where transaction ids are not comparable. Returns the current epoch.
create or replace function event_log_open() returns integer
language plpgsql as $$
declare
  this_cluster text;
  latest event_epochs;
begin
  -- The oid identifies a copy within the cluster, the timeline a restored or promoted cluster. In plain PostgreSQL all
  -- roles may call these functions. If a provider forbids one, the other parts must suffice.
  select oid::text into this_cluster from pg_database where datname = current_database();
  begin
    this_cluster := this_cluster || '/' || (select system_identifier from pg_control_system());
    this_cluster := this_cluster || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
  exception when insufficient_privilege or feature_not_supported or undefined_function then null;
  end;
  perform from event_log for update;
  select * into latest from event_epochs order by epoch desc limit 1;
  if latest.cluster is null then
    update event_epochs set cluster = this_cluster where epoch = latest.epoch;
  elsif latest.cluster <> this_cluster then
    -- With the lock, no insert is in progress: `base_id` separates the epochs, and all events up to it are final.
    lock table events in access exclusive mode;
    insert into event_epochs (epoch, base_id, cluster)
    select latest.epoch + 1, case when is_called then last_value else last_value - 1 end, this_cluster
    from events_id_seq;
    execute format('alter table events alter column epoch set default %s', latest.epoch + 1);
    return latest.epoch + 1;
  end if;
  return latest.epoch;
end $$;

-- Creates the partitions of the day of `at` and of `ahead` days after it, and drops those that ended `keep` ago or
-- earlier. Never waits long for a lock, since other statements would queue behind it: a later call does the rest.
-- Returns the names of the partitions created and dropped, and of those postponed because of a lock.
create or replace function event_log_keep_partitions(
  at timestamptz, ahead integer, keep interval, out made text[], out dropped text[], out postponed text[]
)
language plpgsql
set lock_timeout = '200ms'
set timezone = 'UTC'
as $$
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
      -- Created as a table and then attached: creating it as a partition would lock out all readers. Rows that were
      -- inserted before their partition existed are moved; a reader sees them in one table or the other.
      lock table events_default in access exclusive mode;
      -- Another process may have created it while this one waited for the lock.
      continue when to_regclass(part) is not null;
      -- Rows are dropped with their partition long before they need freezing, and most are smaller than 8 kB:
      -- neither vacuum for inserts nor compression pays off.
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
      -- Another process has dropped it.
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

  -- Rows in the default partition expire too.
  if exists (select from events_default where recorded < at - keep) then
    with gone as (delete from events_default where recorded < date_trunc('day', at - keep) returning id)
    update event_log set dropped_through = greatest(dropped_through, (select max(id) from gone)),
      dropped_before = greatest(dropped_before, date_trunc('day', at - keep))
    where exists (select from gone);
  end if;
end $$;
