// Unresolved runs match their tasks: claims use the copies of queue, priority and deadline in the run.
import type { Db, Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { noEvent } from "../../sql/no-event.ts";
import { pendingIn } from "../../sql/wakes.ts";
import { runOf, scanSlice, ViolationRow, type Check, type CheckContext, type Violation } from "../check.ts";

/** How the open run `r` of the task `t` (left joined) violates the invariant, or null. */
const violation: Sql = sql`case
        when t.task_id is null then 'has no task'
        when r.run_id <> t.run_count - 1 then 'is not the latest run of its task, which counts ' || t.run_count
        when r.task_queue_id <> t.task_queue_id then 'is in queue ' || r.task_queue_id || ', unlike its task'
        when r.deadline <> t.deadline then 'has a different deadline than its task'
        -- A claimed run keeps the priority with which it was claimed.
        when r.state = 'pending' and r.priority <> t.priority then 'has a different priority than its task'
      end`;

/** Matches no partial index on states, since these runs are looked up by id. */
const isOpen: Sql = sql`r.state || '' in ('pending', 'running')`;

const suspects = sql`
      select s.task_id || '/' || s.run_id as subject
      from slice s join runs r on r.task_id = s.task_id and r.run_id = s.run_id
      left join tasks t on t.task_id = r.task_id
      where ${isOpen} and ${violation} is not null`;

const findViolations = (db: Queryable, subjects: readonly string[]) =>
  db.many(
    ViolationRow,
    sql`
    select r.task_id || '/' || r.run_id as subject, ${violation} as detail
    from ${given(subjects)}
    join runs r on r.task_id = i.task_id and r.run_id = i.run_id and ${isOpen}
    left join tasks t on t.task_id = r.task_id
    where ${violation} is not null`,
  );

const given = (subjects: readonly string[]): Sql => {
  const runs = subjects.map(runOf);
  return sql`unnest(${column(runs, "taskId")}::text[], ${column(runs, "runId")}::smallint[]) as i (task_id, run_id)`;
};

/** Copies queue, priority and deadline from the tasks to their pending runs. Claims read a run before or after that. */
const copyFromTask = (db: Queryable, subjects: readonly string[]) =>
  db.run(
    sql`
    update runs r set task_queue_id = t.task_queue_id, priority = t.priority, deadline = t.deadline, ${noEvent}
    from ${given(subjects)} join tasks t using (task_id)
    where r.task_id = i.task_id and r.run_id = i.run_id and r.run_id = t.run_count - 1 and r.state || '' = 'pending'
      and (r.task_queue_id, r.priority, r.deadline) is distinct from (t.task_queue_id, t.priority, t.deadline)
    returning ${pendingIn(sql`r.task_queue_id`)}`,
  );

/** Locks the tasks, then the runs, as every transition does. */
async function lock(tx: Queryable, subjects: readonly string[]): Promise<void> {
  const ids = subjects.map((subject) => runOf(subject).taskId);
  await tx.run(sql`
    select from tasks where task_id = any(${ids}::text[]) order by task_id for no key update`);
  await tx.run(sql`
    select from ${given(subjects)} join runs r using (task_id, run_id) order by r.task_id, r.run_id for update of r`);
}

const scanPending = (db: Db, place: string, limit: number) => {
  const [queue = "", priority = "8", seq = "0"] = place.split(" ");
  const columns = sql`task_id, run_id, task_queue_id, priority, seq`;
  // Three scans of the index runs_pending, one after another: its middle column is descending, which a row comparison
  // cannot express.
  const slice = sql`
      select *, task_queue_id || ' ' || priority || ' ' || seq as place,
        row_number() over (order by task_queue_id, priority desc, seq) as n
      from (
        (select ${columns} from runs
          where state = 'pending' and task_queue_id = ${queue} and priority = ${priority}::smallint and seq > ${seq}::bigint
          order by task_queue_id, priority desc, seq limit ${limit})
        union all
        (select ${columns} from runs
          where state = 'pending' and task_queue_id = ${queue} and priority < ${priority}::smallint
          order by task_queue_id, priority desc, seq limit ${limit})
        union all
        (select ${columns} from runs
          where state = 'pending' and task_queue_id > ${queue} collate "C"
          order by task_queue_id, priority desc, seq limit ${limit})
      ) x
      order by task_queue_id, priority desc, seq limit ${limit}`;
  return scanSlice(db, slice, suspects);
};

/** `started` with microseconds, since two claims may be in the same millisecond. */
const startedMicroseconds = sql`to_char(started at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const scanRunning = (db: Db, place: string, limit: number) => {
  const [queue = "", started = "-infinity", seq = "0"] = place.split(" ");
  const slice = sql`
      select task_id, run_id, task_queue_id || ' ' || ${startedMicroseconds} || ' ' || seq as place,
        row_number() over (order by task_queue_id, started, seq) as n
      from runs
      where state = 'running'
        and (task_queue_id, started, seq) > (${queue}, ${started}::timestamptz, ${seq}::bigint)
      order by task_queue_id, started, seq limit ${limit}`;
  return scanSlice(db, slice, suspects);
};

const confirmRunning = ({ db }: CheckContext, subjects: readonly string[]): Promise<Violation[]> =>
  db.tx(async (tx) => {
    await lock(tx, subjects);
    return (await findViolations(tx, subjects)).map((row) => ({ ...row, repaired: false }));
  });

const confirmPending = ({ db }: CheckContext, subjects: readonly string[]): Promise<Violation[]> =>
  db.tx(async (tx) => {
    await lock(tx, subjects);
    const found = await findViolations(tx, subjects);
    if (found.length > 0) await copyFromTask(tx, column(found, "subject"));
    const remaining = new Set(column(await findViolations(tx, subjects), "subject"));
    return found.map((row) => ({ ...row, repaired: !remaining.has(row.subject) }));
  });

export const pendingRuns: Check = {
  name: "pending-run",
  means: "A pending run is the latest of a task that exists, and has its queue, priority and deadline.",
  repair:
    "queue, priority and deadline are copied from the task; a run without a task, or that is not the latest, is only reported",
  scan: ({ db }, place, limit) => scanPending(db, place, limit),
  confirm: confirmPending,
};

export const runningRuns: Check = {
  name: "running-run",
  means: "A running run is the latest of a task that exists, and has its queue and deadline.",
  scan: ({ db }, place, limit) => scanRunning(db, place, limit),
  confirm: confirmRunning,
};
