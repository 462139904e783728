-- The queue. Rows that transitions touch are small; a definition is written once and never again.
-- Ids are compared byte by byte (collate "C"): that is their order on the wire, and the cheapest.

create table task_groups (
  task_group_id text collate "C" primary key,
  scheduler_id text not null,
  expires timestamptz not null,
  sealed timestamptz,
  -- Tasks that were never resolved. Whoever brings it to zero announces the group's resolution; asking
  -- "is there another unresolved task?" instead would miss it when the last two resolve at once.
  unresolved integer not null check (unresolved >= 0)
) with (fillfactor = 70);
create index task_groups_by_expiry on task_groups (expires);

create table tasks (
  task_id text collate "C" primary key,
  task_group_id text collate "C" not null,
  task_queue_id text collate "C" not null,
  scheduler_id text not null,
  project_id text not null,
  -- 1 (lowest) to 7 (highest)
  priority smallint not null check (priority between 1 and 7),
  retries smallint not null,
  retries_left smallint not null check (retries_left >= 0),
  -- Runs so far; the latest has the id run_count - 1.
  run_count smallint not null check (run_count >= 0),
  -- Dependencies that are not resolved as the task requires. At zero the first run is made.
  unsatisfied integer not null check (unsatisfied >= 0),
  deadline timestamptz not null,
  expires timestamptz not null,
  -- Copied into every event of the task.
  routes text[] not null,
  tags text not null
) with (fillfactor = 85);
create index tasks_by_group on tasks (task_group_id, task_id);
create index tasks_by_expiry on tasks (expires);
create index tasks_unscheduled_by_deadline on tasks (deadline) where run_count = 0;

-- Apart from `tasks`, so that an update there does not copy it.
create table task_definitions (
  task_id text collate "C" primary key,
  -- The JSON text that was accepted, with its defaults.
  definition text not null
);

create table runs (
  task_id text collate "C" not null,
  run_id smallint not null,
  state text not null check (state in ('pending', 'running', 'completed', 'failed', 'exception')),
  reason_created text not null,
  reason_resolved text,
  worker_group text,
  worker_id text,
  claim_id text,
  scheduled timestamptz not null,
  started timestamptz,
  taken_until timestamptz,
  resolved timestamptz,
  -- Copied from the task, so that a claim reads one index and one table.
  task_queue_id text collate "C" not null,
  priority smallint not null,
  deadline timestamptz not null,
  -- Age within a priority. Times would tie: a batch of tasks has one.
  seq bigint generated always as identity,
  primary key (task_id, run_id)
) with (fillfactor = 80);
create index runs_pending on runs (task_queue_id, priority desc, seq) where state = 'pending';
create index runs_running_by_claim_end on runs (taken_until) where state = 'running';
create index runs_open_by_deadline on runs (deadline) where state in ('pending', 'running');
create index runs_by_claim_id on runs (claim_id) where state = 'running' and claim_id is not null;

create table task_dependencies (
  dependent text collate "C" not null,
  required text collate "C" not null,
  -- The dependent requires `all-resolved`, else `all-completed`.
  any_resolution boolean not null,
  satisfied boolean not null,
  primary key (dependent, required)
) with (fillfactor = 80);
create index task_dependencies_by_required on task_dependencies (required, dependent);
