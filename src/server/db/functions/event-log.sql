-- The event log's housekeeping, which needs DDL with names made at run time.

-- To be called when a server starts: notices that the database lives in another cluster (restored, upgraded,
-- failed over), where transaction ids mean something else, and begins a new epoch. Answers the current epoch.
create or replace function event_log_open() returns integer
language plpgsql as $$
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
end $$;

-- Makes the partitions of the day of `at` and of `ahead` days after it, and drops those that ended `keep` ago or
-- earlier. Never waits long for a lock, since whoever comes after would wait behind it: what cannot be had now is
-- done in a later call. Answers the names of what it made and dropped, and the days it could not get at.
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
end $$;
