-- The index: tasks by path. A path of at most 255 characters is split at its last dot, so that each list is a range of a key.

create table index_namespaces (
  -- The path of the namespace above it. Empty at the top level.
  parent text collate "C" not null,
  name text collate "C" not null,
  -- Not before that of anything below it.
  expires timestamptz not null,
  primary key (parent, name)
);
create index index_namespaces_by_expiry on index_namespaces (expires);

create table index_tasks (
  -- Empty at the top level.
  namespace text collate "C" not null,
  name text collate "C" not null,
  task_id text collate "C" not null,
  rank double precision not null,
  -- A JSON object.
  data text not null,
  expires timestamptz not null,
  primary key (namespace, name)
);
create index index_tasks_by_expiry on index_tasks (expires);
