-- Resolved tasks of which more dependents wait than one statement should see to. Written with the resolution, so that
-- the rest cannot be forgotten; the loop `dependents` takes them on, some hundreds at a time.
create table unfinished_releases (
  task_id text collate "C" not null,
  -- How the task was resolved.
  state text not null,
  primary key (task_id, state)
);
-- It takes an argument more now.
drop function if exists release_dependents(text[], text[], timestamptz);
