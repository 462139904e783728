// Claims pending runs of a queue (claimWork).
import Type, { type Static, type TSchema } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import { PRIORITIES, type TaskDefinition } from "../../../../../api/queue/task.ts";
import { column } from "../../../../core/columns.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { PAGE_BYTES } from "../../../../core/pagination.ts";
import { sql } from "../../../../core/sql.ts";
import {
  logClaims,
  matchesQuarantineIndex,
  selectClaimed,
  type ClaimedRow,
  type Claimer,
} from "./claimed-runs.ts";

/** A position in a queue. */
export interface QueuePosition {
  /** 1 (lowest) to 7 (highest). */
  readonly priority: number;
  readonly seq: number;
}

/** The start of a queue, for each priority, the highest first. */
export const QUEUE_START: readonly QueuePosition[] = PRIORITIES.map((_, i) => ({
  priority: PRIORITIES.length - i,
  seq: 0,
}));

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
/** A claimed run, or a claimer in quarantine with nulls. */
const ClaimedOrQuarantinedRow = Type.Object({
  claimer: Type.Integer(),
  task_id: nullable(Type.String()),
  run_id: nullable(Type.Integer()),
  worker_group: nullable(Type.String()),
  worker_id: nullable(Type.String()),
  priority: nullable(Type.Integer()),
  seq: nullable(Type.Integer()),
  taken_until: nullable(Timestamp),
  status: nullable(jsonText<TaskStatus>()),
  definition: nullable(jsonText<TaskDefinition>()),
});
type ClaimedOrQuarantinedRow = Static<typeof ClaimedOrQuarantinedRow>;
const isClaimed = (row: ClaimedOrQuarantinedRow): row is ClaimedRow => row.task_id !== null;

export interface Claims {
  readonly runs: readonly ClaimedRow[];
  /** Positions, from 1, of the claimers in quarantine, which get no runs. */
  readonly quarantined: readonly number[];
  /** Whether the definitions of the runs may fill a reply, so that more runs are pending than were claimed. */
  readonly full: boolean;
}

/**
 * Claims pending runs for several waiting workers of one queue, in order of priority and then of position; the first
 * claimer gets the first runs. It claims at least one, and no more after those whose definitions have PAGE_BYTES in total.
 * Runs that are locked, for example by a claim of another process, are skipped, and so are runs before `from`, which has a
 * position for each priority, the highest first.
 *
 * Quarantine is looked up here and not cached, so a statement that begins after quarantineWorker has returned respects it.
 * This costs one index lookup per claimer.
 */
export async function claimPending(
  db: Queryable,
  taskQueueId: string,
  claimers: readonly Claimer[],
  from: readonly QueuePosition[],
  at: string,
  takenUntil: string,
): Promise<Claims> {
  const rows = await db.many(
    ClaimedOrQuarantinedRow,
    sql`
    with claimer as (
      select c.*, coalesce((
        -- One lookup for each claimer. A join would be planned as a scan of all workers of the queue.
        select w.quarantine_until > ${at}::timestamptz
        from workers w where ${matchesQuarantineIndex(sql`${taskQueueId}`, sql`c.worker_group`, sql`c.worker_id`)}
      ), false) as is_quarantined,
      -- A repeated call with this claim id waits for this lock, and so for the runs claimed here.
      case when c.claim_id is not null then
        pg_advisory_xact_lock_shared(hashtextextended('claim ' || c.claim_id, 0)) end as locked
      from unnest(
        ${column(claimers, "workerGroup")}::text[], ${column(claimers, "workerId")}::text[],
        ${column(claimers, "claimId")}::text[], ${column(claimers, "tasks")}::integer[]
      ) with ordinality as c (worker_group, worker_id, claim_id, tasks, claimer)
    ),
    -- The n-th element is the claimer of the n-th run; each claimer occurs once for each run that it wants. An array is
    -- indexed; as joined rows, 256 slots would be compared with 256 runs.
    slots as (
      select coalesce(array_agg(c.claimer order by c.claimer), '{}') as claimers
      from claimer c, generate_series(1, c.tasks) s
      where not c.is_quarantined
    ),
    -- A short scan of the index runs_pending for each priority, until there are enough runs. The result is not sorted,
    -- since a sort would scan all priorities. Runs past their deadline are left to the loop deadline.
    next as (
      select x.*, (select octet_length(d.definition) from task_definitions d where d.task_id = x.task_id) as bytes
      from unnest(${column(from, "priority")}::smallint[], ${column(from, "seq")}::bigint[])
        as head (priority, seq)
      cross join lateral (
        select r.task_id, r.run_id, r.priority, r.seq from runs r
        where r.task_queue_id = ${taskQueueId} and r.state = 'pending' and r.priority = head.priority
          and r.seq >= head.seq and r.deadline > ${at}::timestamptz
        order by r.seq
        limit (select cardinality(claimers) from slots)
        for update skip locked
      ) x
      limit (select cardinality(claimers) from slots)
    ),
    -- The runs after those whose definitions already fill a reply are left for the next statement.
    numbered as (
      select x.task_id, x.run_id, x.n, (select claimers from slots)[x.n] as claimer
      from (
        select task_id, run_id, row_number() over w as n,
          sum(bytes) over (w rows unbounded preceding) - bytes as bytes_before
        from next window w as (order by priority desc, seq)
      ) x
      where x.bytes_before < ${PAGE_BYTES}
    ),
    taken as (
      update runs r set state = 'running', worker_group = c.worker_group, worker_id = c.worker_id,
        claim_id = c.claim_id, started = ${at}::timestamptz, taken_until = ${takenUntil}::timestamptz
      from numbered x join claimer c using (claimer)
      where r.task_id = x.task_id and r.run_id = x.run_id
      returning c.claimer, x.n, r as run
    ),
    ${logClaims}
    (${selectClaimed})
    union all
    select claimer::integer, null, null, null, null, null, null, null, null, null from claimer where is_quarantined`,
  );
  const runs = rows.filter(isClaimed);
  // A character takes at most three bytes in UTF-8.
  const mostBytes = runs.reduce((sum, { definition }) => sum + 3 * definition.length, 0);
  return {
    runs,
    full: mostBytes >= PAGE_BYTES,
    quarantined: rows.filter((row) => !isClaimed(row)).map((row) => row.claimer),
  };
}
