// Every transition has its event. Both are written in one transaction, whose id is in xmin of the row and in xid of the
// event.
//
// Only the last writer of a row is known, so a transition can be checked only while it is the latest. Which event the
// writer must have logged follows from the statements of the queue:
//
// * A resolved run never changes again: its writer resolved it.
// * The writer of a running run claimed it, unless it was reclaimed; the writer of a pending run created it, unless its
//   priority was changed. Reclaims and changes of priority log no event of the run and set `quiet` (see sql/no-event.ts,
//   whose test finds updates without it); nothing else writes such rows.
// * The writer of a definition created the task, unless a change of priority set `quiet`.
//
// Rows from before the beginning of the log cannot be checked: the log begins with the retention period, a new cluster
// (which has other transaction ids) or a migration (which may rewrite tables). Times of rows come from the clocks of
// servers and those of the log from the database's, hence the margin.
import type { Db } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { events } from "../../sql/event-rows.ts";
import { fullXid } from "../../sql/full-xid.ts";
import { runOf, scanSlice, ViolationRow, type Check, type CheckContext } from "../check.ts";

/** The time from which the log is complete, by the database's clock. */
const logBegins: Sql = sql`(
        select greatest(
          (select dropped_before from event_log),
          (select began from event_epochs order by epoch desc limit 1),
          (select max(applied_at) from schema_migrations)))`;

/** Transactions with more events are skipped: each of their rows would be compared with all of the events. */
const MAX_EVENTS = 1_000;

/**
 * CTEs from `slice` (subject, xid, event: exchange, task and run that the event must have, checkable) to `missing`. The
 * events are read once per transaction, not once per row.
 */
const missingEvents: Sql = sql`
    tx as materialized (
      select x.xid, (
          select count(*) from (select from events e where e.xid = x.xid limit ${MAX_EVENTS + 1}) c
        ) as events
      from (select distinct xid from slice where checkable) x
    ),
    log as materialized (
      select tx.xid, array(
          select e.exchange || ' ' || split_part(e.routing_key, '.', 2) || '/' || split_part(e.routing_key, '.', 3)
          from events e
          where e.xid = tx.xid and e.epoch = (select max(epoch) from event_epochs)
        ) as logged
      from tx where tx.events <= ${MAX_EVENTS}
    ),
    missing as (
      select s.subject, 'was written by transaction ' || s.xid || ', which logged no event "' || s.event || '"' as detail
      from slice s join log l on l.xid = s.xid
      where s.checkable and s.event <> all (l.logged)
    )`;

const exchangeOf: Sql = sql`case r.state
          when 'pending' then ${events.taskPending.exchange}
          when 'running' then ${events.taskRunning.exchange}
          when 'completed' then ${events.taskCompleted.exchange}
          when 'failed' then ${events.taskFailed.exchange}
          else ${events.taskException.exchange} end`;

/** The columns of `slice` for the runs `r`. */
const runRows = (marginMs: number): Sql => sql`
      r.task_id || '/' || r.run_id as subject, ${fullXid(sql`r.xmin`)} as xid,
      ${exchangeOf} || ' ' || r.task_id || '/' || r.run_id as event,
      (r.resolved is not null or not r.quiet)
        and coalesce(r.resolved, r.started, r.scheduled)
          > ${logBegins} + ${marginMs} * interval '1 millisecond' as checkable`;

/** The columns of `slice` for the definitions `d` of the tasks `t`. */
const definitionRows = (marginMs: number): Sql => sql`
      d.task_id as subject, ${fullXid(sql`d.xmin`)} as xid,
      ${events.taskDefined.exchange} || ' ' || d.task_id || '/_' as event,
      not d.quiet and t.created > ${logBegins} + ${marginMs} * interval '1 millisecond' as checkable`;

/** These slices are smaller, since each row may require reading a transaction of a hundred events. */
const half = (limit: number): number => Math.max(1, Math.ceil(limit / 2));

const scanForMissing = (db: Db, slice: Sql) =>
  scanSlice(db, slice, sql`with ${missingEvents} select subject from missing`);

const confirmMissing = async (db: Db, slice: Sql) => {
  const rows = await db.many(
    ViolationRow,
    sql`with slice as materialized (${slice}), ${missingEvents} select subject, detail from missing`,
  );
  return rows.map((row) => ({ ...row, repaired: false }));
};

const margin = ({ config }: CheckContext): number => config.watchdogPatience;

export const runEvents: Check = {
  name: "run-events",
  means: "The transaction of a run's last transition logged the event of that transition.",
  scan(ctx, place, limit) {
    const { taskId, runId } = runOf(place === "" ? "/-1" : place);
    return scanForMissing(
      ctx.db,
      sql`
      select ${runRows(margin(ctx))}, r.task_id || '/' || r.run_id as place,
        row_number() over (order by r.task_id, r.run_id) as n
      from runs r where (r.task_id, r.run_id) > (${taskId} collate "C", ${runId}::smallint)
      order by r.task_id, r.run_id limit ${half(limit)}`,
    );
  },
  confirm(ctx, subjects) {
    const runs = subjects.map(runOf);
    return confirmMissing(
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
  means: "The transaction that created a task logged its event `task-defined`.",
  scan: (ctx, place, limit) =>
    scanForMissing(
      ctx.db,
      sql`
      select ${definitionRows(margin(ctx))}, d.task_id as place, row_number() over (order by d.task_id) as n
      from task_definitions d join tasks t using (task_id)
      where d.task_id > ${place} collate "C" order by d.task_id limit ${half(limit)}`,
    ),
  confirm: (ctx, subjects) =>
    confirmMissing(
      ctx.db,
      sql`
      select ${definitionRows(margin(ctx))}
      from task_definitions d join tasks t using (task_id) where d.task_id = any(${subjects}::text[])`,
    ),
};
