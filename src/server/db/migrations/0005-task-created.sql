-- When the queue accepted a task, by its own clock: a definition's `created` is its author's word. Null for tasks
-- from before.
alter table tasks add column created timestamptz;
