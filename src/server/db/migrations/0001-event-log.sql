-- The event log: what every service says of its state changes, in the order in which they took effect.

create sequence events_id_seq as bigint;

-- Append-only. Services insert exchange, routing_key, cc and payload in the statement that changes the state, and
-- leave the other columns to their defaults; readers rely on what the defaults say of a row:
--
-- * `id` is drawn when the row is inserted, so after every row lock that its statement waited for: of two events
--   of one task, the later has the larger id. (`xid` does not say that: a statement may get its xid first and its
--   lock last.) The `case` makes the transaction take its xid *before* it draws an id, since an argument is
--   evaluated before its call; nextval alone assigns one only in every 32nd call. See event-log/store.ts.
-- * `epoch` and `xid` name the transaction. xids count within one cluster; a copy of the database in another one
--   starts a new epoch (event_log_open).
-- * `recorded` is the start of the transaction, by the database's clock.
create table events (
  id bigint not null default nextval(
    case when pg_current_xact_id() is not null then 'events_id_seq'::regclass end
  ),
  epoch integer not null default 1,
  xid xid8 not null default pg_current_xact_id(),
  recorded timestamptz not null default now(),
  exchange text not null,
  routing_key text not null,
  cc text[] not null default '{}',
  payload text not null
) partition by range (recorded);

alter sequence events_id_seq owned by events.id;

-- One partition a day comes from event_log_keep_partitions. This one takes what falls between, so that an insert
-- cannot fail for want of a partition.
create table events_default partition of events default;

-- Not unique: a unique index of a partitioned table would have to hold `recorded` too and so prove nothing.
create index events_id on events (id);
create index events_xid on events (xid, id);

-- One row for each cluster that the log has lived in. Events with an id up to `base_id` belong to epochs before.
create table event_epochs (
  epoch integer primary key,
  base_id bigint not null,
  -- Unknown until the first server starts.
  cluster text,
  began timestamptz not null default now()
);
insert into event_epochs (epoch, base_id) values (1, 0);

-- The one row of facts about the log as a whole. `tag` is in every position: one from another log is refused
-- rather than misread.
create table event_log (
  only_row boolean primary key default true check (only_row),
  tag integer not null,
  -- The largest id that retention has dropped, and the time before which it has dropped everything.
  dropped_through bigint not null default 0,
  dropped_before timestamptz
);
insert into event_log (tag) values (floor(random() * 2 ^ 24)::integer);

-- How far each named consumer has come.
create table event_consumers (
  name text primary key,
  position text not null,
  updated timestamptz not null default now()
);

-- Events that a consumer could not handle, as copies: the log may have dropped the original.
create table event_dead_letters (
  consumer text not null,
  event_id bigint not null,
  recorded timestamptz not null,
  exchange text not null,
  routing_key text not null,
  cc text[] not null,
  payload text not null,
  attempts integer not null,
  error text not null,
  parked timestamptz not null default now(),
  retry_requested boolean not null default false,
  primary key (consumer, event_id)
);
create index event_dead_letters_retry on event_dead_letters (consumer, event_id) where retry_requested;
