-- What declareWorkerType says about a task queue.
alter table task_queues
  add column description text not null default '',
  add column stability text not null default 'experimental';
