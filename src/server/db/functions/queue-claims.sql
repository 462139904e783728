-- The runs that a worker holds by a claim. A function, since it looks after it has a lock: an earlier call with the same
-- claim id may have its statement under way in another process, which holds that lock until it has committed. A
-- statement that waits for a lock does not see what was committed meanwhile; each statement in here begins anew.
create or replace function runs_of_claim(claim text, queue text) returns setof runs
language plpgsql rows 4 as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('claim ' || claim, 0));
  return query
    -- Asks for runs_by_claim_id by name, see its migration.
    select * from runs r
    where r.claim_id = claim and r.task_queue_id = queue and (r.state || ' by claim id') = 'running by claim id';
end $$;
