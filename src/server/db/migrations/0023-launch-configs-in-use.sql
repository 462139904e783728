-- Lists of the launch configs of a pool without the archived ones, of which a pool keeps all.

create index worker_pool_launch_configs_in_use on worker_pool_launch_configs (worker_pool_id, launch_config_id)
  where not is_archived;
