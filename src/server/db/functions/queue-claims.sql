-- Returns the running runs of a claim id. The statement of an earlier call with the same claim id may still be running in
-- another process; it holds the lock until its commit. This is a function because a single statement that waits for a lock
-- does not see what was committed during the wait, while each statement of a function takes a new snapshot.
create or replace function runs_of_claim(claim text, queue text) returns setof runs
language plpgsql rows 4 as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('claim ' || claim, 0));
  return query
    -- Repeats the condition of the index runs_by_claim_id, see its migration.
    select * from runs r
    where r.claim_id = claim and r.task_queue_id = queue and (r.state || ' by claim id') = 'running by claim id';
end $$;
