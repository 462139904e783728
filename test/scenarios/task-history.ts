// Reads the states and events of tasks directly from the database.
import Type from "typebox";
import { openDb, type Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";
import { queueEvents, type QueueEvent } from "../support/queue-events.ts";

/** A task's events in order, each with kind and run, such as `task-pending 0`. */
export type History = readonly string[];

/** The history of a task that was completed by its first run, alone in its group. */
export const completedHistory: History = [
  "task-defined",
  "task-pending 0",
  "task-running 0",
  "task-completed 0",
  "task-group-resolved",
];

/** Opens the database at `url` for one read. */
async function withDatabase<R>(url: string, read: (db: Db) => Promise<R>): Promise<R> {
  const db = openDb({ url, checkRows: true });
  try {
    return await read(db);
  } finally {
    await db.close();
  }
}

export type Histories = Map<string, string[]>;

/** Adds an event to the history of its task, or of the task whose id its group has. */
export function addEvent(histories: Histories, event: Pick<QueueEvent, "kind" | "payload">): void {
  const { status, taskGroupId, runId } = event.payload;
  const id = status?.taskId ?? taskGroupId ?? "";
  const history = histories.get(id) ?? [];
  histories.set(id, history);
  history.push(runId === undefined ? event.kind : `${event.kind} ${runId}`);
}

/** Returns the events of every task in the log, by task id. */
export function readHistories(url: string): Promise<Histories> {
  return withDatabase(url, async (db) => {
    const histories: Histories = new Map();
    for (const event of await queueEvents(db)) addEvent(histories, event);
    return histories;
  });
}

const StateRow = Type.Object({ task_id: Type.String(), states: Type.String() });

/** Returns the states of all runs of every task, such as `exception completed`, by task id. */
export function readStates(url: string): Promise<Map<string, string>> {
  return withDatabase(url, async (db) => {
    const rows = await db.many(
      StateRow,
      sql`
      select task_id, coalesce(string_agg(r.state, ' ' order by r.run_id), 'unscheduled') as states
      from tasks left join runs r using (task_id) group by task_id`,
    );
    return new Map(rows.map(({ task_id, states }) => [task_id, states]));
  });
}

const PidRow = Type.Object({ pid: Type.Integer() });

/** Returns the process ids of the server's connections. */
export function serverConnections(url: string): Promise<number[]> {
  return withDatabase(url, async (db) => {
    const rows = await db.many(
      PidRow,
      sql`
      select pid from pg_stat_activity
      where application_name = 'taskyard' and datname = current_database() and pid <> pg_backend_pid()`,
    );
    return rows.map(({ pid }) => pid);
  });
}
