// No transition without its event: both are written in one transaction, whose id the row carries in xmin and the event
// in xid.
//
// The last writer of a row is known, earlier ones are not; so each transition is checked while it is the latest one.
// What counts as a transition follows from what the statements of the queue do:
//
// * A resolved run never changes again: its writer resolved it.
// * The writer of a running run claimed it, unless its claim was kept (reclaim); that of a pending run made it, unless
//   its priority was changed. Those write no event of the run and set `quiet`, and nobody else writes such rows.
// * A definition was written when the task was created, unless a change of priority set `quiet`.
//
// Rows from before the log begins (retention, another cluster, which has other transaction ids, or a migration, which
// may rewrite tables) prove nothing. Times of rows are from the clocks of servers and those of the log from the
// database's, so there is a margin.
import type { Db } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { exchanges } from "../../sql/event-rows.ts";
import { fullXid } from "../../sql/full-xid.ts";
import { lookAt, runOf, VerdictRow, type Check, type CheckContext } from "../check.ts";

/** The beginning of what the log can prove, by the database's clock. */
const beginning: Sql = sql`(
        select greatest(
          (select dropped_before from event_log),
          (select began from event_epochs order by epoch desc limit 1),
          (select max(applied_at) from schema_migrations)))`;

/** Of a transaction with more events, nothing is looked at: each of its rows would have to read them all. */
const MOST_EVENTS = 1_000;

/**
 * CTEs from `slice` (subject, xid, told: exchange, task and run as its event has them, proof: whether it can be told at
 * all) to `missing`. Events are read once a transaction, not once a row.
 */
const missingEvents: Sql = sql`
    tx as materialized (
      select x.xid, (
          select count(*) from (select from events e where e.xid = x.xid limit ${MOST_EVENTS + 1}) c
        ) as events
      from (select distinct xid from slice where proof) x
    ),
    log as materialized (
      select tx.xid, array(
          select e.exchange || ' ' || split_part(e.routing_key, '.', 2) || '/' || split_part(e.routing_key, '.', 3)
          from events e
          where e.xid = tx.xid and e.epoch = (select max(epoch) from event_epochs)
        ) as told
      from tx where tx.events <= ${MOST_EVENTS}
    ),
    missing as (
      select s.subject, 'was written by transaction ' || s.xid || ', which left no event "' || s.told || '"' as detail
      from slice s join log l on l.xid = s.xid
      where s.proof and s.told <> all (l.told)
    )`;

const exchangeOf: Sql = sql`case r.state
          when 'pending' then ${exchanges.taskPending}
          when 'running' then ${exchanges.taskRunning}
          when 'completed' then ${exchanges.taskCompleted}
          when 'failed' then ${exchanges.taskFailed}
          else ${exchanges.taskException} end`;

/** Of the runs `r`, all that `missingEvents` asks for. */
const runRows = (marginMs: number): Sql => sql`
      r.task_id || '/' || r.run_id as subject, ${fullXid(sql`r.xmin`)} as xid,
      ${exchangeOf} || ' ' || r.task_id || '/' || r.run_id as told,
      (r.resolved is not null or not r.quiet)
        and coalesce(r.resolved, r.started, r.scheduled)
          > ${beginning} + ${marginMs} * interval '1 millisecond' as proof`;

const definitionRows = (marginMs: number): Sql => sql`
      d.task_id as subject, ${fullXid(sql`d.xmin`)} as xid,
      ${exchanges.taskDefined} || ' ' || d.task_id || '/_' as told,
      not d.quiet and t.created > ${beginning} + ${marginMs} * interval '1 millisecond' as proof`;

/** These slices are smaller: each row may stand for a transaction of a hundred events. */
const share = (limit: number): number => Math.max(1, Math.ceil(limit / 2));

const lookForMissing = (db: Db, slice: Sql) =>
  lookAt(db, slice, sql`with ${missingEvents} select subject from missing`);

const judgeMissing = async (db: Db, slice: Sql) => {
  const rows = await db.many(
    VerdictRow,
    sql`with slice as materialized (${slice}), ${missingEvents} select subject, detail from missing`,
  );
  return rows.map((row) => ({ ...row, repaired: false }));
};

const margin = ({ config }: CheckContext): number => config.watchdogPatience;

export const runEvents: Check = {
  name: "run-events",
  means: "The transaction of a run's last transition left the event that tells of it.",
  look(ctx, place, limit) {
    const { taskId, runId } = runOf(place === "" ? "/-1" : place);
    return lookForMissing(
      ctx.db,
      sql`
      select ${runRows(margin(ctx))}, r.task_id || '/' || r.run_id as place,
        row_number() over (order by r.task_id, r.run_id) as n
      from runs r where (r.task_id, r.run_id) > (${taskId} collate "C", ${runId}::smallint)
      order by r.task_id, r.run_id limit ${share(limit)}`,
    );
  },
  judge(ctx, subjects) {
    const runs = subjects.map(runOf);
    return judgeMissing(
      ctx.db,
      sql`
      select ${runRows(margin(ctx))}
      from unnest(${column(runs, "taskId")}::text[], ${column(runs, "runId")}::smallint[]) i (task_id, run_id)
      join runs r on r.task_id = i.task_id and r.run_id = i.run_id`,
    );
  },
};

export const definitionEvents: Check = {
  name: "definition-events",
  means: "The transaction that created a task left the event that tells of it.",
  look: (ctx, place, limit) =>
    lookForMissing(
      ctx.db,
      sql`
      select ${definitionRows(margin(ctx))}, d.task_id as place, row_number() over (order by d.task_id) as n
      from task_definitions d join tasks t using (task_id) where d.task_id > ${place} collate "C" order by d.task_id limit ${share(limit)}`,
    ),
  judge: (ctx, subjects) =>
    judgeMissing(
      ctx.db,
      sql`
      select ${definitionRows(margin(ctx))}
      from task_definitions d join tasks t using (task_id) where d.task_id = any(${subjects}::text[])`,
    ),
};
