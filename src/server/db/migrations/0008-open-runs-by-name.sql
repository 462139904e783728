-- These indexes are asked for by name: the planner offers them to no statement but those that repeat the condition.
-- As `state in (…)` they also fit every `state = 'pending'` and `state = 'running'`, and an index that looked empty
-- at the last analyze looks like the cheapest to read as a whole: claims then read and sorted all that is pending.
drop index runs_open_by_deadline;
create index runs_open_by_deadline on runs (deadline)
where (state || ' by deadline') in ('pending by deadline', 'running by deadline');
drop index runs_running_by_claim_end;
create index runs_running_by_claim_end on runs (taken_until) where (state || ' by claim end') = 'running by claim end';
drop index runs_by_claim_id;
create index runs_by_claim_id on runs (claim_id)
where (state || ' by claim id') = 'running by claim id' and claim_id is not null;
