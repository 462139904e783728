// The claim dispatcher on a real database and a clock that moves only when a test advances it, so that polling serves no
// claim unexpectedly.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { newTask } from "../../../../../test/support/factories.ts";
import { untilLockWaits } from "../../../../../test/support/lock-waits.ts";
import { until } from "../../../../../test/support/until.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { configOf } from "../../../config/index.ts";
import type { Db } from "../../../core/db.ts";
import { sql } from "../../../core/sql.ts";
import { createWakeUps, type WakeUps } from "../../../core/wake-ups.ts";
import { createClaimDispatcher, type ClaimDispatcher } from "./claim-dispatcher.ts";
import { timestamp } from "../../../core/timestamp.ts";
import { pendingTopic } from "../sql/wakes.ts";
import { createQueueHeads } from "./queue-heads.ts";
import { insertTasks } from "../tasks/store/insert-tasks.ts";

const clock = manualClock();
const config = { ...configOf({}).queue, loopInterval: 5_000, claimTimeout: 1_200_000 };
const WAIT = 20_000;
let database: TestDatabase;
let wakeUps: WakeUps;
let dispatcher: ClaimDispatcher;
const queueId = "test/queue";
/** Statements that the dispatcher has started. */
let statements = 0;
let inFlight = 0;

beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  wakeUps = createWakeUps();
  const counting: Db = {
    ...db,
    many: (row, query) => {
      statements++;
      inFlight++;
      return db.many(row, query).finally(() => inFlight--);
    },
  };
  dispatcher = createClaimDispatcher(
    { db: counting, clock, config, wakeUps },
    createQueueHeads({ clock, wakeUps }),
  );
});
// After each test, no claim waits and no poll is scheduled.
afterEach(async () => {
  await clock.advance(0);
  if (clock.pending() > 0) throw new Error("a claim or a poll is still waiting");
});
afterAll(() => database.drop());

/** Inserts pending tasks without a wake-up. */
async function addTasks(count: number): Promise<string[]> {
  const tasks = Array.from({ length: count }, () => newTask({ taskQueueId: queueId }, clock.now()));
  await insertTasks(database.db, tasks, timestamp({ clock }), 0);
  return tasks.map((task) => task.taskId);
}
const wake = (): void => wakeUps.wake(pendingTopic(queueId));

interface WaitingClaim {
  /** Returns the claimed task ids, or undefined while the claim waits. */
  result(): string[] | undefined;
  readonly done: Promise<string[]>;
  disconnect(): void;
}

function claim(options: { tasks?: number; claimId?: string; workerId?: string } = {}): WaitingClaim {
  const { tasks = 1, claimId = null, workerId = "w" } = options;
  const connection = new AbortController();
  let result: string[] | undefined;
  const claimer = { workerGroup: "g", workerId, claimId, tasks };
  const rows = dispatcher.claim(queueId, claimer, WAIT, connection.signal);
  const done = rows.then((all) => (result = all.map((row) => row.task_id)));
  return { result: () => result, done, disconnect: () => connection.abort() };
}

/** Resolves when the dispatcher has run its statements for all calls so far. */
async function statementsDone(): Promise<void> {
  await clock.advance(0);
  // A round trip takes longer than the dispatcher takes to start a statement for a claim.
  await database.db.run(sql`select 1`);
  await until("no statement in flight", async () => inFlight === 0);
  await clock.advance(0);
}

/** Runs `body` while the table of runs is locked, so that claim statements block in the database. */
async function whileRunsAreLocked(body: () => Promise<void>): Promise<void> {
  await database.db.tx(async (tx) => {
    await tx.run(sql`lock table runs in access exclusive mode`);
    await body();
  });
}
const statementBlocked = () => untilLockWaits(database.db);

describe("a claimer", () => {
  it("receives pending runs immediately, and no more than it requests", async () => {
    const ids = await addTasks(3);
    expect(await claim({ tasks: 2 }).done).toEqual(ids.slice(0, 2));
    expect(await claim({ tasks: 2 }).done).toEqual(ids.slice(2));
  });

  it("waits for work, and is woken when it is committed", async () => {
    const waiting = claim();
    await statementsDone();
    expect(waiting.result()).toBeUndefined();
    const ids = await addTasks(1);
    wake();
    expect(await waiting.done).toEqual(ids);
  });

  it("finds work without a wake-up, by polling", async () => {
    const waiting = claim();
    await statementsDone();
    const ids = await addTasks(1);
    await clock.advance(config.loopInterval);
    expect(await waiting.done).toEqual(ids);
  });

  it("returns nothing when its timeout has passed, and not earlier", async () => {
    const waiting = claim();
    await statementsDone();
    await clock.advance(WAIT - 1);
    await statementsDone();
    expect(waiting.result()).toBeUndefined();
    await clock.advance(1);
    expect(await waiting.done).toEqual([]);
  });

  it("that disconnects leaves no timer behind, and new work goes to others", async () => {
    const disconnected = claim();
    await statementsDone();
    disconnected.disconnect();
    expect(await disconnected.done).toEqual([]);
    await clock.advance(0);
    expect(clock.pending()).toBe(0);
    const ids = await addTasks(1);
    wake();
    expect(await claim().done).toEqual(ids);
  });

  it("that has already disconnected receives nothing", async () => {
    const signal = AbortSignal.abort();
    const claimer = { workerGroup: "g", workerId: "w", claimId: null, tasks: 1 };
    expect(await dispatcher.claim(queueId, claimer, WAIT, signal)).toEqual([]);
  });

  it("receives no runs that are past their deadline", async () => {
    const [taskId = ""] = await addTasks(1);
    await database.db.run(
      sql`update runs set deadline = ${timestamp({ clock })}::timestamptz where task_id = ${taskId}`,
    );
    const ids = await addTasks(1);
    expect(await claim({ tasks: 5 }).done).toEqual(ids);
  });
});

describe("claimers of one queue", () => {
  it("are served in the order of their arrival", async () => {
    const first = claim({ tasks: 2 });
    const second = claim({ tasks: 2 });
    const third = claim();
    await statementsDone();
    const ids = await addTasks(3);
    wake();
    expect(await first.done).toEqual(ids.slice(0, 2));
    expect(await second.done).toEqual(ids.slice(2));
    const added = await addTasks(1);
    wake();
    expect(await third.done).toEqual(added);
  });

  it("are all served, however many they are", async () => {
    const waiting = Array.from({ length: 300 }, () => claim());
    await statementsDone();
    const ids = await addTasks(300);
    wake();
    expect((await Promise.all(waiting.map(({ done }) => done))).flat()).toEqual(ids);
  });

  it("receive database errors, and later claims are served again", async () => {
    await database.db.run(sql`alter table runs rename to runs_away`);
    await expect(claim().done).rejects.toThrow('relation "runs" does not exist');
    await database.db.run(sql`alter table runs_away rename to runs`);
    const ids = await addTasks(1);
    expect(await claim().done).toEqual(ids);
  });
});

describe("a claim whose statement is in flight", () => {
  it("receives the runs of the statement even if its timeout passes meanwhile", async () => {
    const ids = await addTasks(1);
    let waiting: WaitingClaim | undefined;
    await whileRunsAreLocked(async () => {
      waiting = claim();
      await statementBlocked();
      await clock.advance(WAIT);
      expect(waiting.result()).toBeUndefined();
    });
    expect(await waiting?.done).toEqual(ids);
  });

  it("returns as soon as the statement found nothing if its timeout has passed", async () => {
    let waiting: WaitingClaim | undefined;
    await whileRunsAreLocked(async () => {
      waiting = claim();
      await statementBlocked();
      await clock.advance(WAIT);
    });
    expect(await waiting?.done).toEqual([]);
  });

  it("is followed by a statement for claims that arrived meanwhile", async () => {
    const ids = await addTasks(2);
    const waiting: WaitingClaim[] = [];
    await whileRunsAreLocked(async () => {
      waiting.push(claim());
      await statementBlocked();
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
    await statementsDone();
    await takeOver("w");
    expect(first.result()).toEqual([]);
    expect([other.result(), none.result()]).toEqual([undefined, undefined]);
    await clock.advance(WAIT);
    await Promise.all([other.done, none.done]);
  });

  it("whose statement is in flight receives its runs, and is taken over afterwards", async () => {
    const ids = await addTasks(1);
    let first: WaitingClaim | undefined;
    let takenOver: Promise<void> = Promise.resolve();
    await whileRunsAreLocked(async () => {
      first = claim({ claimId });
      await statementBlocked();
      takenOver = takeOver("w");
      await clock.advance(0);
      expect(first.result()).toBeUndefined();
    });
    await takenOver;
    expect(first?.result()).toEqual(ids);
  });
});

describe("a claimer in quarantine", () => {
  /** Quarantines the workers until `ms` milliseconds from now. */
  const quarantine = (ms: number, ...workerIds: string[]) =>
    database.db.run(sql`
      insert into workers (task_queue_id, worker_group, worker_id, first_claim, expires, quarantine_until)
      select ${queueId}, 'g', id, ${timestamp({ clock })}::timestamptz, ${timestamp({ clock })}::timestamptz,
        ${timestamp({ clock }, ms)}::timestamptz
      from unnest(${workerIds}::text[]) id
      on conflict (task_queue_id, worker_group, worker_id) do update set quarantine_until = excluded.quarantine_until`);

  it("waits until its timeout and receives nothing, while claimers behind it are served", async () => {
    await quarantine(WAIT * 10, "bad");
    const ids = await addTasks(2);
    const bad = claim({ workerId: "bad", tasks: 5 });
    const good = claim({ workerId: "good" });
    expect(await good.done).toEqual(ids.slice(0, 1));
    expect(await claim({ workerId: "good", tasks: 5 }).done).toEqual(ids.slice(1));
    await addTasks(1);
    wake();
    await clock.advance(WAIT - 1);
    await statementsDone();
    expect(bad.result()).toBeUndefined();
    await clock.advance(1);
    expect(await bad.done).toEqual([]);
    await claim({ workerId: "good" }).done;
  });

  it("does not block claimers behind it, even with many like it in the queue", async () => {
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
    await statementsDone();
    for (let n = 0; n < 20; n++) {
      wake();
      await clock.advance(1);
    }
    await clock.advance(WAIT);
    expect(await bad.done).toEqual([]);
    expect(statements - before).toBe(1);
    await claim({ workerId: "good" }).done;
  });

  it("that was added to quarantine while it waited receives nothing", async () => {
    await quarantine(-1, "late");
    const late = claim({ workerId: "late" });
    const good = claim({ workerId: "good" });
    await statementsDone();
    await quarantine(WAIT * 10, "late");
    const ids = await addTasks(1);
    wake();
    expect(await good.done).toEqual(ids);
    await clock.advance(WAIT);
    expect(await late.done).toEqual([]);
  });

  it("whose quarantine ends while it waits is served by its next call", async () => {
    await quarantine(WAIT / 2, "short");
    const ids = await addTasks(1);
    const first = claim({ workerId: "short" });
    await statementsDone();
    await clock.advance(WAIT / 2);
    wake();
    await statementsDone();
    expect(first.result()).toBeUndefined();
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
  it("ends all waiting claims with nothing, and accepts no more", async () => {
    const waiting = [claim(), claim()];
    await statementsDone();
    dispatcher.stop();
    expect(await Promise.all(waiting.map(({ done }) => done))).toEqual([[], []]);
    await addTasks(1);
    expect(await claim().done).toEqual([]);
  });
});
