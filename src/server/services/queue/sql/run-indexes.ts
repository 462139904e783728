// Conditions on runs that decide which index PostgreSQL uses.
import { sql, type Sql } from "../../../core/sql.ts";

// States and counts as parameters, for statements that find their rows by id.
//
// The partial indexes of pending and of running runs are small, and look empty to the planner if they were empty at the
// last `analyze`. For `task_id = … and state = 'running'` it then reads such an index as a whole and filters by the id:
// 45 ms instead of 2 for a report while 8,000 runs were running, until the next `analyze`. With a parameter in place of
// the literal, the planner cannot use a partial index.

export const PENDING = "pending";
export const RUNNING = "running";
/** A `run_count`: a partial index contains the tasks that have no runs. */
export const NO_RUNS = 0;

// The conditions of the partial indexes on the times of open runs. The planner uses such an index only for statements
// that repeat its condition; migration 0008 explains why that is wanted.

/** Open runs `r`, for a condition on their deadline. */
export const openByDeadline: Sql = sql`(r.state || ' by deadline') in ('pending by deadline', 'running by deadline')`;

/** Pending runs `r`, for a condition on their deadline. */
export const pendingByDeadline: Sql = sql`(r.state || ' by deadline') = 'pending by deadline'`;

/** Running runs `r`, for a condition on the end of their claim. */
export const runningByClaimEnd: Sql = sql`(r.state || ' by claim end') = 'running by claim end'`;
