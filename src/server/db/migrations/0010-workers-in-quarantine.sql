-- For claims, which look up whether a worker is in quarantine. Its row changes every second while it works, and while an
-- old snapshot is held open each look by the primary key would go through all that it was since: 0.3 ms a claim after
-- five minutes. Hardly any worker is in here, so hardly any look finds a row. A worker in quarantine is so until a time
-- in the future, which is after its first claim; a new worker's time is ten years before.
create index workers_in_quarantine on workers ((task_queue_id || ' ' || worker_group || ' ' || worker_id))
where quarantine_until > first_claim;
