-- What the queue knows of task queues and of the workers that ask them for work. Nobody waits for these rows to be
-- written: a process notes what it sees and writes it once a second (src/server/queue/workers/ledger.ts).

create table task_queues (
  task_queue_id text collate "C" primary key,
  last_date_active timestamptz not null,
  expires timestamptz not null
) with (fillfactor = 70);
create index task_queues_by_expiry on task_queues (expires);

create table workers (
  task_queue_id text collate "C" not null,
  worker_group text collate "C" not null,
  worker_id text collate "C" not null,
  first_claim timestamptz not null,
  -- Null for a worker that was declared and did not ask for work yet.
  last_date_active timestamptz,
  expires timestamptz not null,
  -- In the past: not in quarantine. A new worker's is ten years before it came.
  quarantine_until timestamptz not null,
  -- JSON texts, the oldest first: clientId, updatedAt, quarantineUntil, quarantineInfo.
  quarantine_details text[] not null default '{}',
  -- `taskId/runId`, the newest last.
  recent_tasks text[] not null default '{}',
  primary key (task_queue_id, worker_group, worker_id)
) with (fillfactor = 70);
-- When it may be forgotten. Not on what changes each time that a worker is seen, so that such an update writes to no
-- index; and so that those in quarantine for years are not looked at in each round.
create index workers_by_end on workers (greatest(expires, quarantine_until));

-- Claims of each minute, kept for an hour: how fast a queue moves.
create table task_queue_claims (
  task_queue_id text collate "C" not null,
  minute timestamptz not null,
  claims integer not null,
  primary key (task_queue_id, minute)
) with (fillfactor = 70);
create index task_queue_claims_by_minute on task_queue_claims (minute);

-- What is running in a queue, in the order of claims. It is the one index that a claim pays for this listing; the
-- times of claims tie, so the rows' own order follows.
create index runs_claimed on runs (task_queue_id, started, seq) where state = 'running';
