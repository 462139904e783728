-- Lists of tasks and groups, newest first. The ids continue a list within tasks of one time: createTasks gives all of its tasks
-- the same. A BRIN index would be cheaper to write, but has no order (docs/decisions/035-lists-by-creation.md).
create index tasks_by_creation on tasks (created, task_id);

-- When a group got its first task. Servers of earlier versions do not write it. Milliseconds, as in continuation tokens.
alter table task_groups add column created timestamptz not null default date_trunc('milliseconds', now());
update task_groups g set created = coalesce(
  (select date_trunc('milliseconds', min(t.created)) from tasks t where t.task_group_id = g.task_group_id), g.created
);
create index task_groups_by_creation on task_groups (created, task_group_id);
