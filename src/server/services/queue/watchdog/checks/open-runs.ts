// Runs that are not over fit their tasks: a claim hands out what stands in the run, and trusts it.
import type { Db, Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { pendingIn } from "../../sql/wakes.ts";
import { lookAt, runOf, VerdictRow, type Check, type CheckContext, type Verdict } from "../check.ts";

/** What is wrong with the open run `r` of the task `t` (null: nothing), `t` being a left join. */
const fault: Sql = sql`case
        when t.task_id is null then 'has no task'
        when r.run_id <> t.run_count - 1 then 'is not the latest run of its task, which counts ' || t.run_count
        when r.task_queue_id <> t.task_queue_id then 'is in the queue ' || r.task_queue_id || ', and its task in another'
        when r.deadline <> t.deadline then 'has another deadline than its task'
        -- A run keeps the priority that it was claimed with.
        when r.state = 'pending' and r.priority <> t.priority then 'has another priority than its task'
      end`;

/** Written so that no partial index on states fits: these runs are looked up by their ids. */
const isOpen: Sql = sql`r.state || '' in ('pending', 'running')`;

const wrongOf = sql`
      select s.task_id || '/' || s.run_id as subject
      from slice s join runs r on r.task_id = s.task_id and r.run_id = s.run_id
      left join tasks t on t.task_id = r.task_id
      where ${isOpen} and ${fault} is not null`;

const faultsOf = (db: Queryable, subjects: readonly string[]) =>
  db.many(
    VerdictRow,
    sql`
    select r.task_id || '/' || r.run_id as subject, ${fault} as detail
    from ${given(subjects)}
    join runs r on r.task_id = i.task_id and r.run_id = i.run_id and ${isOpen}
    left join tasks t on t.task_id = r.task_id
    where ${fault} is not null`,
  );

const given = (subjects: readonly string[]): Sql => {
  const runs = subjects.map(runOf);
  return sql`unnest(${column(runs, "taskId")}::text[], ${column(runs, "runId")}::smallint[]) as i (task_id, run_id)`;
};

/** Copies queue, priority and deadline of the task to its pending run. A claim sees the run before or after that. */
const adoptTask = (db: Queryable, subjects: readonly string[]) =>
  db.run(
    sql`
    update runs r set task_queue_id = t.task_queue_id, priority = t.priority, deadline = t.deadline, quiet = true
    from ${given(subjects)} join tasks t using (task_id)
    where r.task_id = i.task_id and r.run_id = i.run_id and r.run_id = t.run_count - 1 and r.state || '' = 'pending'
      and (r.task_queue_id, r.priority, r.deadline) is distinct from (t.task_queue_id, t.priority, t.deadline)
    returning ${pendingIn(sql`r.task_queue_id`)}`,
  );

/** The tasks first, then the runs, as every transition does. */
async function lock(tx: Queryable, subjects: readonly string[]): Promise<void> {
  const ids = subjects.map((subject) => runOf(subject).taskId);
  await tx.run(sql`
    select from tasks where task_id = any(${ids}::text[]) order by task_id for no key update`);
  await tx.run(sql`
    select from ${given(subjects)} join runs r using (task_id, run_id) order by r.task_id, r.run_id for update of r`);
}

const lookPending = (db: Db, place: string, limit: number) => {
  const [queue = "", priority = "8", seq = "0"] = place.split(" ");
  const columns = sql`task_id, run_id, task_queue_id, priority, seq`;
  // Three walks along the index runs_pending, one behind the other: its order goes down in the middle column, which a
  // comparison of rows cannot say.
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
  return lookAt(db, slice, wrongOf);
};

/** Of `started`: two claims may be closer than a millisecond. */
const toTheMicrosecond = sql`to_char(started at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const lookRunning = (db: Db, place: string, limit: number) => {
  const [queue = "", started = "-infinity", seq = "0"] = place.split(" ");
  const slice = sql`
      select task_id, run_id, task_queue_id || ' ' || ${toTheMicrosecond} || ' ' || seq as place,
        row_number() over (order by task_queue_id, started, seq) as n
      from runs
      where state = 'running'
        and (task_queue_id, started, seq) > (${queue}, ${started}::timestamptz, ${seq}::bigint)
      order by task_queue_id, started, seq limit ${limit}`;
  return lookAt(db, slice, wrongOf);
};

const tellOnly = ({ db }: CheckContext, subjects: readonly string[]): Promise<Verdict[]> =>
  db.tx(async (tx) => {
    await lock(tx, subjects);
    return (await faultsOf(tx, subjects)).map((row) => ({ ...row, repaired: false }));
  });

function judgePending({ db }: CheckContext, subjects: readonly string[]): Promise<Verdict[]> {
  return db.tx(async (tx) => {
    await lock(tx, subjects);
    const faults = await faultsOf(tx, subjects);
    if (faults.length > 0) await adoptTask(tx, column(faults, "subject"));
    const left = new Set(column(await faultsOf(tx, subjects), "subject"));
    return faults.map((row) => ({ ...row, repaired: !left.has(row.subject) }));
  });
}

export const pendingRuns: Check = {
  name: "pending-run",
  means: "A pending run is the latest of a task that exists, with its queue, priority and deadline.",
  repair:
    "queue, priority and deadline are taken from the task; a run without a task, or that is not the latest, is left",
  look: ({ db }, place, limit) => lookPending(db, place, limit),
  judge: judgePending,
};

export const runningRuns: Check = {
  name: "running-run",
  means: "A running run is the latest of a task that exists, with its queue and deadline.",
  look: ({ db }, place, limit) => lookRunning(db, place, limit),
  judge: tellOnly,
};
