// Asking by name for the indexes that know of open runs by time; why by name, their migration (0008) says.
import { sql, type Sql } from "../../../core/sql.ts";

/** Open runs `r`, for a condition on their deadline. */
export const openByDeadline: Sql = sql`(r.state || ' by deadline') in ('pending by deadline', 'running by deadline')`;

/** Of these the pending ones. */
export const pendingByDeadline: Sql = sql`(r.state || ' by deadline') = 'pending by deadline'`;

/** Running runs `r`, for a condition on when their claim ends. */
export const runningByClaimEnd: Sql = sql`(r.state || ' by claim end') = 'running by claim end'`;
