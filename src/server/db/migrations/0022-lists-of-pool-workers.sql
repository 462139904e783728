-- Lists of the workers of a pool by state or launch config, in the order of groups and ids.

create index pool_workers_by_launch_config on pool_workers
  (worker_pool_id, launch_config_id, state, worker_group, worker_id) include (capacity);
drop index pool_workers_by_state;
create index pool_workers_by_state on pool_workers (worker_pool_id, state, worker_group, worker_id);
