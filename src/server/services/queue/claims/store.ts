// Handing pending runs to workers, and keeping them there.
import Type, { type Static, type TSchema } from "typebox";
import { PRIORITIES, type TaskDefinition } from "../../../../api/queue/task.ts";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { jsonText } from "../../../core/json.ts";
import { sql, type Sql } from "../../../core/sql.ts";
import { PENDING, RUNNING, runningByClaimEnd } from "../sql/run-indexes.ts";
import { column } from "../../../core/columns.ts";
import { logEvents } from "../../../core/event-log/index.ts";
import { events } from "../sql/event-rows.ts";
import { earlierRuns } from "../sql/runs-json.ts";

export interface Claimer {
  readonly workerGroup: string;
  readonly workerId: string;
  readonly claimId: string | null;
  /** At most this many runs. */
  readonly tasks: number;
}

/** A place in a queue. */
export interface Place {
  /** 1 (lowest) to 7 (highest). */
  readonly priority: number;
  readonly seq: number;
}

/** Where a queue begins, at each priority, the highest first. */
export const EVERYWHERE: readonly Place[] = PRIORITIES.map((_, i) => ({
  priority: PRIORITIES.length - i,
  seq: 0,
}));

const ClaimedRow = Type.Object({
  /** Position of the claimer in the input, from 1. */
  claimer: Type.Integer(),
  task_id: Type.String(),
  run_id: Type.Integer(),
  worker_group: Type.String(),
  worker_id: Type.String(),
  priority: Type.Integer(),
  seq: Type.Integer(),
  taken_until: Timestamp,
  status: jsonText<TaskStatus>(),
  definition: jsonText<TaskDefinition>(),
});
export type ClaimedRow = Static<typeof ClaimedRow>;

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
/** A claimed run, or with nulls the claimer that is in quarantine. */
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
  /** Positions, from 1, of the claimers that are in quarantine and so get nothing. */
  readonly quarantined: readonly number[];
}

/** Repeats the words of the index workers_in_quarantine, see its migration. No part of a name has a space. */
const isInQuarantineIndex = (taskQueueId: Sql, workerGroup: Sql, workerId: Sql): Sql => sql`
  w.task_queue_id || ' ' || w.worker_group || ' ' || w.worker_id
    = ${taskQueueId}::text || ' ' || ${workerGroup}::text || ' ' || ${workerId}::text
  and w.quarantine_until > w.first_claim`;

/** What a CTE `claimed` (claimer, n, task, run) becomes for the worker. */
const claimedRows: Sql = sql`
    select c.claimer::integer as claimer, (c.run).task_id as task_id, (c.run).run_id as run_id,
      (c.run).worker_group as worker_group, (c.run).worker_id as worker_id,
      (c.run).priority as priority, (c.run).seq as seq, (c.run).taken_until as taken_until, c.status, d.definition
    from claimed c join task_definitions d on d.task_id = (c.run).task_id
    order by c.n`;

/** CTEs from `taken` (claimer, n, run) on: the statuses, and the events that say so. */
const announceClaims: Sql = sql`
    claimed as (
      select x.claimer, x.n, t as task, x.run,
        task_status(t, concat_ws(',', ${earlierRuns(sql`t.task_id`, sql`(x.run).run_id`)}, run_json(x.run)), 'running')
          as status
      from taken x join tasks t on t.task_id = (x.run).task_id
    ),
    logged as (${logEvents(
      sql`
      select ${events.taskRunning.exchange},
        task_routing_key(task, (run).run_id, (run).worker_group, (run).worker_id), (task).routes,
        task_message(
          status, (task).tags, (run).run_id, (run).worker_group, (run).worker_id, (run).taken_until)
      from claimed order by n`,
      ({ task_id }) => task_id !== null,
    )})`;

/**
 * Claims for several waiting workers of one queue at once, the first served first: highest priority, then
 * oldest. Runs that another process is claiming at the moment are skipped, not waited for; so are those before `from`,
 * which has a place for each priority, the highest first.
 *
 * Whether a claimer is in quarantine is looked up here and cached nowhere: a statement that begins after a quarantine
 * was answered knows it. That costs one look at an index per claimer.
 */
export async function claimPending(
  db: Queryable,
  taskQueueId: string,
  claimers: readonly Claimer[],
  from: readonly Place[],
  at: string,
  takenUntil: string,
): Promise<Claims> {
  const rows = await db.many(
    ClaimedOrQuarantinedRow,
    sql`
    with claimer as (
      select c.*, coalesce((
        -- One look for each. As a join it is planned as a walk over all workers of the queue.
        select w.quarantine_until > ${at}::timestamptz
        from workers w where ${isInQuarantineIndex(sql`${taskQueueId}`, sql`c.worker_group`, sql`c.worker_id`)}
      ), false) as is_quarantined,
      -- Whoever asks again with a claim id waits for this lock, and so for what is handed out here.
      case when c.claim_id is not null then
        pg_advisory_xact_lock_shared(hashtextextended('claim ' || c.claim_id, 0)) end as locked
      from unnest(
        ${column(claimers, "workerGroup")}::text[], ${column(claimers, "workerId")}::text[],
        ${column(claimers, "claimId")}::text[], ${column(claimers, "tasks")}::integer[]
      ) with ordinality as c (worker_group, worker_id, claim_id, tasks, claimer)
    ),
    -- Who gets the first run, who the second: claimers by their number, each as often as it wants runs. A list, in which
    -- the n-th is looked up; joined as rows, 256 of them would be compared with 256 runs.
    slots as (
      select coalesce(array_agg(c.claimer order by c.claimer), '{}') as claimers
      from claimer c, generate_series(1, c.tasks) s
      where not c.is_quarantined
    ),
    -- A short walk along the index runs_pending for each priority in turn, until there is enough. Nothing sorts what
    -- comes out, which would make it walk all of them. Runs past their deadline stay there for the deadline loop.
    next as (
      select x.* from unnest(${column(from, "priority")}::smallint[], ${column(from, "seq")}::bigint[])
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
    numbered as (
      select x.task_id, x.run_id, x.n, (select claimers from slots)[x.n] as claimer
      from (select task_id, run_id, row_number() over (order by priority desc, seq) as n from next) x
    ),
    taken as (
      update runs r set state = 'running', worker_group = c.worker_group, worker_id = c.worker_id,
        claim_id = c.claim_id, started = ${at}::timestamptz, taken_until = ${takenUntil}::timestamptz
      from numbered x join claimer c using (claimer)
      where r.task_id = x.task_id and r.run_id = x.run_id
      returning c.claimer, x.n, r as run
    ),
    ${announceClaims}
    (${claimedRows})
    union all
    select claimer::integer, null, null, null, null, null, null, null, null, null from claimer where is_quarantined`,
  );
  return {
    runs: rows.filter(isClaimed),
    quarantined: rows.filter((row) => !isClaimed(row)).map((row) => row.claimer),
  };
}

/** Claims one run by its id, where it is pending and the claimer not in quarantine. */
export function claimOne(
  db: Queryable,
  taskId: string,
  runId: number,
  claimer: Claimer,
  at: string,
  takenUntil: string,
): Promise<ClaimedRow | undefined> {
  return db.maybeOne(
    ClaimedRow,
    sql`
    with taken as (
      update runs r set state = 'running', worker_group = ${claimer.workerGroup},
        worker_id = ${claimer.workerId}, started = ${at}::timestamptz, taken_until = ${takenUntil}::timestamptz
      where r.task_id = ${taskId} and r.run_id = ${runId} and r.state = ${PENDING}
        and r.deadline > ${at}::timestamptz
        and not exists (
          select from workers w
          where ${isInQuarantineIndex(sql`r.task_queue_id`, sql`${claimer.workerGroup}`, sql`${claimer.workerId}`)}
            and w.quarantine_until > ${at}::timestamptz
        )
      returning 1 as claimer, 1 as n, r as run
    ),
    ${announceClaims}
    ${claimedRows}`,
  );
}

/** Runs that a worker holds already: those of an earlier claim (`claimId`), or one run by its id. */
export function heldRuns(
  db: Queryable,
  worker: { workerGroup: string; workerId: string },
  by: { claimId: string; taskQueueId: string } | { taskId: string; runId: number },
): Promise<ClaimedRow[]> {
  const held =
    "claimId" in by
      ? sql`runs_of_claim(${by.claimId}, ${by.taskQueueId}) r join tasks t using (task_id) where`
      : sql`runs r join tasks t using (task_id)
      where r.task_id = ${by.taskId} and r.run_id = ${by.runId} and`;
  return db.many(
    ClaimedRow,
    sql`
    with claimed as (
      select 1 as claimer, r.seq as n, r as run,
        task_status(t, concat_ws(',', ${earlierRuns(sql`t.task_id`, sql`r.run_id`)}, run_json(r)), 'running') as status
      from ${held} r.state = ${RUNNING}
        and r.worker_group = ${worker.workerGroup} and r.worker_id = ${worker.workerId}
    )
    ${claimedRows}`,
  );
}

const ReclaimedRow = Type.Object({
  ord: Type.Integer(),
  /** Null where the run is not running. */
  status: nullable(jsonText<TaskStatus>()),
  task_queue_id: Type.Union([Type.String(), Type.Null()]),
  worker_group: Type.Union([Type.String(), Type.Null()]),
  worker_id: Type.Union([Type.String(), Type.Null()]),
});
export type ReclaimedRow = Static<typeof ReclaimedRow>;

/** Moves the claim ends of running runs on, before their deadline. A row for each input, in their order. */
export function reclaimRuns(
  db: Queryable,
  runs: readonly { taskId: string; runId: number; takenUntil: string }[],
  at: string,
): Promise<ReclaimedRow[]> {
  return db.many(
    ReclaimedRow,
    sql`
    with input as (
      select * from unnest(
        ${column(runs, "taskId")}::text[], ${column(runs, "runId")}::smallint[],
        ${column(runs, "takenUntil")}::timestamptz[]
      ) with ordinality as i (task_id, run_id, taken_until, ord)
    ),
    kept as (
      update runs r set taken_until = i.taken_until, quiet = true
      -- In the order in which those who end runs lock them.
      from (select * from input order by task_id collate "C", run_id) i
      where r.task_id = i.task_id and r.run_id = i.run_id and r.state = ${RUNNING}
        and r.deadline > ${at}::timestamptz
      returning i.ord, r as run
    )
    select i.ord::integer,
      case when (k.run).task_id is not null then
        task_status(t, concat_ws(',', ${earlierRuns(sql`t.task_id`, sql`(k.run).run_id`)}, run_json(k.run)), 'running')
      end as status,
      (k.run).task_queue_id as task_queue_id, (k.run).worker_group as worker_group,
      (k.run).worker_id as worker_id
    from input i
    left join kept k using (ord)
    left join tasks t on t.task_id = i.task_id
    order by i.ord`,
  );
}

/** Running runs whose claim has ended, the longest ended first; those past their deadline are not ours. */
export function expiredClaims(
  db: Queryable,
  at: string,
  limit: number,
): Promise<{ task_id: string; run_id: number; taken_until: Date }[]> {
  return db.many(
    ExpiredClaimRow,
    sql`
    select r.task_id, r.run_id, r.taken_until from runs r
    where ${runningByClaimEnd} and r.taken_until < ${at}::timestamptz and r.deadline > ${at}::timestamptz
    order by r.taken_until limit ${limit}`,
  );
}
const ExpiredClaimRow = Type.Object({
  task_id: Type.String(),
  run_id: Type.Integer(),
  taken_until: Timestamp,
});
