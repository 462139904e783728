// Fills a database with as many tasks as a server accumulates in months, with plain SQL.
import pg from "pg";
import { benchTask } from "./tasks.ts";

export interface Filling {
  readonly resolved: number;
  readonly pending: number;
  /** Holds half of the pending tasks; the others are spread over 500 queues. */
  readonly queue: string;
}

const CHUNK = 250_000;
/** Tasks per group. */
const GROUP = 100;

/** Writes the same rows as the queue, but no events: those of most tasks would be past their retention. */
export async function fillDatabase(url: string, { resolved, pending, queue }: Filling): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("set synchronous_commit = off");
  for (let from = 0; from < resolved + pending; from += CHUNK) {
    const to = Math.min(from + CHUNK, resolved + pending);
    // A chunk is either resolved or pending, and so is each group.
    for (const [first, last, isPending] of [
      [from, Math.min(to, resolved), false],
      [Math.max(from, resolved), to, true],
    ] as const)
      if (first < last) await fillChunk(client, first, last, isPending, queue);
    process.stderr.write(`\rfilled ${(to / 1e6).toFixed(2)} million tasks`);
  }
  process.stderr.write("\n");
  await client.query("vacuum (analyze) tasks, task_definitions, runs, task_groups");
  await client.query("checkpoint");
  await client.end();
}

/** Returns an SQL expression for the id of task `n`: ascending, so that indexes are written sequentially. */
const id = (n: string): string => `lpad((${n})::text, 8, '0') || 'QACAAAAAAAAAAA'`;

async function fillChunk(
  client: pg.Client,
  from: number,
  to: number,
  isPending: boolean,
  queue: string,
): Promise<void> {
  const series = `from generate_series(${from}::bigint, ${to - 1}::bigint) n`;
  const group = id(`n - n % ${GROUP}`);
  const queueOf = isPending
    ? `case when n % 2 = 0 then '${queue}' else 'bench/other' || (n / 2) % 500 end`
    : `'bench/done' || n % 100`;
  await client.query("begin");
  await client.query(`
    insert into task_groups (task_group_id, scheduler_id, expires, unresolved)
    select ${group}, '-', now() + interval '300 days', ${isPending ? GROUP : 0} ${series} where n % ${GROUP} = 0
    on conflict do nothing`);
  await client.query(`
    insert into tasks (
      task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, retries_left, run_count,
      unsatisfied, deadline, expires, routes, tags, created
    )
    select ${id("n")}, ${group}, ${queueOf}, '-', 'none', 1, 5, 5, 1, 0, now() + interval '1 day',
      now() + interval '299 days', '{}', '{}', now() ${series}`);
  await client.query(
    `insert into task_definitions (task_id, definition)
    select ${id("n")}, replace($1, 'TASK-GROUP', ${group}) ${series}`,
    [definition(queue)],
  );
  await client.query(`
    insert into runs (
      task_id, run_id, state, reason_created, reason_resolved, worker_group, worker_id, scheduled, started,
      taken_until, resolved, task_queue_id, priority, deadline
    )
    select ${id("n")}, 0, ${
      isPending
        ? "'pending', 'scheduled', null, null, null, now(), null, null, null"
        : "'completed', 'scheduled', 'completed', 'bench', 'load', now(), now(), now() + interval '20 minutes', now()"
    }, ${queueOf}, 1, now() + interval '1 day' ${series}`);
  await client.query("commit");
}

function definition(taskQueueId: string): string {
  const [provisionerId, workerType] = taskQueueId.split("/");
  const { definition: given } = benchTask(taskQueueId);
  return JSON.stringify({
    provisionerId,
    workerType,
    schedulerId: "-",
    projectId: "none",
    taskGroupId: "TASK-GROUP",
    dependencies: [],
    requires: "all-completed",
    routes: [],
    priority: "lowest",
    retries: 5,
    scopes: [],
    tags: {},
    extra: {},
    ...given,
  });
}
