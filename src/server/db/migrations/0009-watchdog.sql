-- The watchdog: what it has found, and how far it has come.

-- Whether the row was changed since its last transition by a statement that writes no event of it: a claim was kept, a
-- priority changed. Every other change leaves an event in its transaction, which the watchdog looks for by xmin.
alter table runs add column quiet boolean not null default false;
alter table task_definitions add column quiet boolean not null default false;

create table watchdog_checks (
  name text collate "C" primary key,
  -- The last thing that was looked at; empty at the beginning of a pass.
  place text not null default '',
  -- No process looks before this time.
  due timestamptz not null,
  -- When it last came to the end.
  passed timestamptz
);

create table watchdog_findings (
  check_name text collate "C" not null,
  subject text collate "C" not null,
  detail text not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  -- Null while it may still pass: what others put right by themselves is told only when it stays.
  confirmed timestamptz,
  repaired timestamptz,
  -- When it was found to be right again.
  ended timestamptz,
  primary key (check_name, subject)
);

-- The watchdog walks unscheduled tasks in this order, many of which have one deadline.
drop index tasks_unscheduled_by_deadline;
create index tasks_unscheduled_by_deadline on tasks (deadline, task_id) where run_count = 0;
