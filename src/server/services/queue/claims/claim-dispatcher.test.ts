// Who waits for work and who gets it, on a real database and a clock that stands still: so nobody is served by a
// poll unless a test moves the time.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { taskDefinition } from "../../../../../test/support/factories.ts";
import { until } from "../../../../../test/support/until.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { configOf } from "../../../config/index.ts";
import type { Db } from "../../../core/db.ts";
import { sql } from "../../../core/sql.ts";
import { createWakeUps, type WakeUps } from "../../../core/wake-ups.ts";
import { createClaimDispatcher, type ClaimDispatcher } from "./claim-dispatcher.ts";
import { timestamp } from "../context.ts";
import { pendingTopic } from "../sql/wakes.ts";
import { defineTask } from "../tasks/define-task.ts";
import { createQueueHeads } from "./queue-heads.ts";
import { insertTasks } from "../tasks/store/insert-tasks.ts";

const clock = manualClock();
const config = { ...configOf({}).queue, loopInterval: 5_000, claimTimeout: 1_200_000 };
const WAIT = 20_000;
let database: TestDatabase;
let wakeUps: WakeUps;
let dispatcher: ClaimDispatcher;
const queueId = "test/queue";
/** How many the dispatcher has run. */
let statements = 0;
let underWay = 0;

beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  wakeUps = createWakeUps();
  const counting: Db = {
    ...db,
    many: (row, query) => {
      statements++;
      underWay++;
      return db.many(row, query).finally(() => underWay--);
    },
  };
  dispatcher = createClaimDispatcher(
    { db: counting, clock, config, wakeUps },
    createQueueHeads({ clock, wakeUps }),
  );
});
// Whatever a test did, nobody waits in the end: neither for work, nor to ask for it.
afterEach(async () => {
  await clock.advance(0);
  if (clock.pending() > 0) throw new Error("somebody still waits");
});
afterAll(() => database.drop());

/** Writes pending tasks without telling anybody. */
async function addTasks(count: number): Promise<string[]> {
  const rules = { now: clock.now(), toleranceMs: 1, maxDeadlineMs: 1e9, maxDependencies: 10 };
  const tasks = Array.from({ length: count }, () =>
    defineTask(slugid(), taskDefinition({ taskQueueId: queueId }, clock.now()), rules),
  );
  await insertTasks(database.db, tasks, timestamp({ clock }), 0);
  return tasks.map((task) => task.taskId);
}
const wake = (): void => wakeUps.wake(pendingTopic(queueId));

interface Waiting {
  /** What it got, or undefined while it waits. */
  got(): string[] | undefined;
  readonly done: Promise<string[]>;
  hangUp(): void;
}

function claim(options: { tasks?: number; claimId?: string; workerId?: string } = {}): Waiting {
  const { tasks = 1, claimId = null, workerId = "w" } = options;
  const connection = new AbortController();
  let got: string[] | undefined;
  const claimer = { workerGroup: "g", workerId, claimId, tasks };
  const rows = dispatcher.claim(queueId, claimer, WAIT, connection.signal);
  const done = rows.then((all) => (got = all.map((row) => row.task_id)));
  return { got: () => got, done, hangUp: () => connection.abort() };
}

/** Claims have been asked for, and there was nothing for them. */
async function asked(): Promise<void> {
  await clock.advance(0);
  // A round trip lasts longer than a claim takes to become a statement.
  await database.db.run(sql`select 1`);
  await until("no statement under way", async () => underWay === 0);
  await clock.advance(0);
}

/** Runs `body` while no statement can look at runs; what was asked for until then waits in the database. */
async function whileStatementsWait(body: () => Promise<void>): Promise<void> {
  await database.db.tx(async (tx) => {
    await tx.run(sql`lock table runs in access exclusive mode`);
    await body();
  });
}
const statementWaits = () =>
  until("a claim that waits in the database", async () => {
    const waiting = await database.db.run(sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    return waiting > 0;
  });

describe("a claimer", () => {
  it("gets what is pending at once, and no more than it asks for", async () => {
    const ids = await addTasks(3);
    expect(await claim({ tasks: 2 }).done).toEqual(ids.slice(0, 2));
    expect(await claim({ tasks: 2 }).done).toEqual(ids.slice(2));
  });

  it("waits for work, and is woken by its commit", async () => {
    const waiting = claim();
    await asked();
    expect(waiting.got()).toBeUndefined();
    const ids = await addTasks(1);
    wake();
    expect(await waiting.done).toEqual(ids);
  });

  it("finds work that nobody told it of, by asking again after a while", async () => {
    const waiting = claim();
    await asked();
    const ids = await addTasks(1);
    await clock.advance(config.loopInterval);
    expect(await waiting.done).toEqual(ids);
  });

  it("goes home with nothing when its time is over, and not before", async () => {
    const waiting = claim();
    await asked();
    await clock.advance(WAIT - 1);
    await asked();
    expect(waiting.got()).toBeUndefined();
    await clock.advance(1);
    expect(await waiting.done).toEqual([]);
  });

  it("that hangs up leaves nothing behind, and what comes is for others", async () => {
    const gone = claim();
    await asked();
    gone.hangUp();
    expect(await gone.done).toEqual([]);
    await clock.advance(0);
    expect(clock.pending()).toBe(0);
    const ids = await addTasks(1);
    wake();
    expect(await claim().done).toEqual(ids);
  });

  it("that is gone already is not let in", async () => {
    const signal = AbortSignal.abort();
    const claimer = { workerGroup: "g", workerId: "w", claimId: null, tasks: 1 };
    expect(await dispatcher.claim(queueId, claimer, WAIT, signal)).toEqual([]);
  });

  it("does not get runs that are past their deadline", async () => {
    const [taskId = ""] = await addTasks(1);
    await database.db.run(
      sql`update runs set deadline = ${timestamp({ clock })}::timestamptz where task_id = ${taskId}`,
    );
    const ids = await addTasks(1);
    expect(await claim({ tasks: 5 }).done).toEqual(ids);
  });
});

describe("claimers of one queue", () => {
  it("are served in the order in which they came", async () => {
    const first = claim({ tasks: 2 });
    const second = claim({ tasks: 2 });
    const third = claim();
    await asked();
    const ids = await addTasks(3);
    wake();
    expect(await first.done).toEqual(ids.slice(0, 2));
    expect(await second.done).toEqual(ids.slice(2));
    const more = await addTasks(1);
    wake();
    expect(await third.done).toEqual(more);
  });

  it("are all served, however many there are, by few statements", async () => {
    const waiting = Array.from({ length: 300 }, () => claim());
    await asked();
    const ids = await addTasks(300);
    wake();
    expect((await Promise.all(waiting.map(({ done }) => done))).flat()).toEqual(ids);
  });

  it("learn of a database that fails, and the next ones are served again", async () => {
    await database.db.run(sql`alter table runs rename to runs_away`);
    await expect(claim().done).rejects.toThrow('relation "runs" does not exist');
    await database.db.run(sql`alter table runs_away rename to runs`);
    const ids = await addTasks(1);
    expect(await claim().done).toEqual(ids);
  });
});

describe("a claim that a statement is under way for", () => {
  it("gets what that brings, though its time runs out meanwhile", async () => {
    const ids = await addTasks(1);
    let waiting: Waiting | undefined;
    await whileStatementsWait(async () => {
      waiting = claim();
      await statementWaits();
      await clock.advance(WAIT);
      expect(waiting.got()).toBeUndefined();
    });
    expect(await waiting?.done).toEqual(ids);
  });

  it("gets nothing where that brings nothing, as soon as this is known", async () => {
    let waiting: Waiting | undefined;
    await whileStatementsWait(async () => {
      waiting = claim();
      await statementWaits();
      await clock.advance(WAIT);
    });
    expect(await waiting?.done).toEqual([]);
  });

  it("is followed by one for whoever came meanwhile", async () => {
    const ids = await addTasks(2);
    const waiting: Waiting[] = [];
    await whileStatementsWait(async () => {
      waiting.push(claim());
      await statementWaits();
      waiting.push(claim());
    });
    expect((await Promise.all(waiting.map(({ done }) => done))).flat()).toEqual(ids);
  });
});

describe("a claim with an id", () => {
  const claimId = slugid();
  const takeOver = (workerId: string) =>
    dispatcher.takeOver(queueId, { workerGroup: "g", workerId, claimId, tasks: 1 });

  it("is taken over by the next call with that id from the same worker, and by no other", async () => {
    const [first, other, none] = [claim({ claimId }), claim({ claimId, workerId: "other" }), claim()];
    await asked();
    await takeOver("w");
    expect(first.got()).toEqual([]);
    expect([other.got(), none.got()]).toEqual([undefined, undefined]);
    await clock.advance(WAIT);
    await Promise.all([other.done, none.done]);
  });

  it("that a statement is under way for keeps what that brings, and is taken over then", async () => {
    const ids = await addTasks(1);
    let first: Waiting | undefined;
    let taken: Promise<void> = Promise.resolve();
    await whileStatementsWait(async () => {
      first = claim({ claimId });
      await statementWaits();
      taken = takeOver("w");
      await clock.advance(0);
      expect(first.got()).toBeUndefined();
    });
    await taken;
    expect(first?.got()).toEqual(ids);
  });
});

describe("a claimer in quarantine", () => {
  /** Until so many milliseconds from now. */
  const quarantine = (ms: number, ...workerIds: string[]) =>
    database.db.run(sql`
      insert into workers (task_queue_id, worker_group, worker_id, first_claim, expires, quarantine_until)
      select ${queueId}, 'g', id, ${timestamp({ clock })}::timestamptz, ${timestamp({ clock })}::timestamptz,
        ${timestamp({ clock }, ms)}::timestamptz
      from unnest(${workerIds}::text[]) id
      on conflict (task_queue_id, worker_group, worker_id) do update set quarantine_until = excluded.quarantine_until`);

  it("waits its full time and gets nothing, while whoever is behind it is served", async () => {
    await quarantine(WAIT * 10, "bad");
    const ids = await addTasks(2);
    const bad = claim({ workerId: "bad", tasks: 5 });
    const good = claim({ workerId: "good" });
    expect(await good.done).toEqual(ids.slice(0, 1));
    expect(await claim({ workerId: "good", tasks: 5 }).done).toEqual(ids.slice(1));
    await addTasks(1);
    wake();
    await clock.advance(WAIT - 1);
    await asked();
    expect(bad.got()).toBeUndefined();
    await clock.advance(1);
    expect(await bad.done).toEqual([]);
    await claim({ workerId: "good" }).done;
  });

  it("is one of a whole line of them, and those behind it are served all the same", async () => {
    const bad = Array.from({ length: 600 }, (_, i) => `bad-${i}`);
    await quarantine(WAIT * 10, ...bad);
    const waiting = bad.map((workerId) => claim({ workerId }));
    const good = claim({ workerId: "good" });
    const ids = await addTasks(1);
    wake();
    expect(await good.done).toEqual(ids);
    await clock.advance(WAIT);
    expect((await Promise.all(waiting.map(({ done }) => done))).flat()).toEqual([]);
  });

  it("costs one statement, however often its queue is woken", async () => {
    await quarantine(WAIT * 10, "bad");
    await addTasks(1);
    const before = statements;
    const bad = claim({ workerId: "bad" });
    await until("a statement", async () => statements > before);
    await asked();
    for (let n = 0; n < 20; n++) {
      wake();
      await clock.advance(1);
    }
    await clock.advance(WAIT);
    expect(await bad.done).toEqual([]);
    expect(statements - before).toBe(1);
    await claim({ workerId: "good" }).done;
  });

  it("since a moment ago gets nothing, though it waited before", async () => {
    await quarantine(-1, "late");
    const late = claim({ workerId: "late" });
    const good = claim({ workerId: "good" });
    await asked();
    await quarantine(WAIT * 10, "late");
    const ids = await addTasks(1);
    wake();
    expect(await good.done).toEqual(ids);
    await clock.advance(WAIT);
    expect(await late.done).toEqual([]);
  });

  it("that was let go, or whose time is over, is served when it asks next", async () => {
    await quarantine(WAIT / 2, "short");
    const ids = await addTasks(1);
    const first = claim({ workerId: "short" });
    await asked();
    await clock.advance(WAIT / 2);
    wake();
    await asked();
    expect(first.got()).toBeUndefined();
    expect(await claim({ workerId: "short" }).done).toEqual(ids);
    await clock.advance(WAIT);
    expect(await first.done).toEqual([]);
  });

  it("is in quarantine in its own queue only", async () => {
    await database.db.run(sql`
      insert into workers (task_queue_id, worker_group, worker_id, first_claim, expires, quarantine_until)
      values ('test/other', 'g', 'elsewhere', now(), now(), ${timestamp({ clock }, WAIT)}::timestamptz)`);
    const ids = await addTasks(1);
    expect(await claim({ workerId: "elsewhere" }).done).toEqual(ids);
  });
});

describe("a dispatcher that stops", () => {
  it("sends everybody home, and lets nobody in", async () => {
    const waiting = [claim(), claim()];
    await asked();
    dispatcher.stop();
    expect(await Promise.all(waiting.map(({ done }) => done))).toEqual([[], []]);
    await addTasks(1);
    expect(await claim().done).toEqual([]);
  });
});
