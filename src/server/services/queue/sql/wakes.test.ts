// The topics that the queue's statements wake. Elsewhere a missing topic only shows as the latency of polling; a
// superfluous one makes idle workers and loops keep the reader of the event log busy.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { newTask } from "../../../../../test/support/factories.ts";
import { testMonitor } from "../../../../../test/support/monitor.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { systemClock } from "../../../../lib/clock.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { startTimeSlice } from "../../../core/time-slice.ts";
import { configOf } from "../../../config/index.ts";
import { eventsTopic } from "../../../core/event-log/index.ts";
import { sql } from "../../../core/sql.ts";
import { finishArtifact, writeArtifact } from "../artifacts/store/write-artifact.ts";
import { claimOne } from "../claims/store/claim-one.ts";
import { claimPending, QUEUE_START } from "../claims/store/claim-pending.ts";
import { planTasks, writeTasks } from "../graph/write-tasks.ts";
import { sealGroup } from "../groups/store/seal-group.ts";
import { logGroupPriority, changePriorities, lockForPriority } from "../priorities/store.ts";
import { endTasks } from "../resolution/store/end-tasks.ts";
import { releaseMore, releaseResolved } from "../resolution/store/release.ts";
import { resolveRuns, type Resolution } from "../resolution/store/resolve-runs.ts";
import { insertTasks, type NewTask } from "../tasks/store/insert-tasks.ts";
import {
  publishDefinedAgain,
  publishPendingAgain,
  publishResolvedAgain,
} from "../tasks/store/publish-again.ts";
import { rerunTask, scheduleTask } from "../tasks/store/add-run.ts";
import { pendingTopic, reorderedTopic, unfinishedTopic } from "./wakes.ts";

const woken = new Set<string>();
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ wake: (topic) => void woken.add(topic) });
});
afterAll(() => database.drop());

const at = new Date().toISOString();
const later = new Date(Date.now() + 60_000).toISOString();
const worker = { workerGroup: "group", workerId: "worker" };
const claimer = { ...worker, claimId: null, tasks: 1 };

/** Returns the topics that a call wakes, in alphabetical order. */
async function topicsOf(call: () => Promise<unknown>): Promise<string[]> {
  woken.clear();
  await call();
  return [...woken].toSorted();
}

let queues = 0;
/** Defines a task in a separate queue. */
const define = (overrides: Partial<TaskDefinitionRequest> = {}): NewTask =>
  newTask({ taskQueueId: `test/queue-${++queues}`, ...overrides });
const insert = (...tasks: NewTask[]) => insertTasks(database.db, tasks, at, 0);
async function inserted(overrides: Partial<TaskDefinitionRequest> = {}): Promise<NewTask> {
  const task = define(overrides);
  await insert(task);
  return task;
}
async function running(overrides: Partial<TaskDefinitionRequest> = {}): Promise<NewTask> {
  const task = await inserted(overrides);
  await claimOne(database.db, task.taskId, 0, claimer, at, later);
  return task;
}
const resolve = (task: NewTask, resolution: Partial<Resolution> = {}) => {
  const completed = { state: "completed", reason: "completed", retryAs: null, takenUntil: null } as const;
  return resolveRuns(database.db, [{ taskId: task.taskId, runId: 0, ...completed, ...resolution }], at);
};
const pending = ({ taskQueueId }: NewTask): string => pendingTopic(taskQueueId);

describe("creating a task", () => {
  it("wakes the readers of the log, and the claimers if it is pending", async () => {
    const [first, second] = [define(), define()];
    expect(await topicsOf(() => insert(first, second))).toEqual([
      eventsTopic,
      pending(first),
      pending(second),
    ]);
    const waiting = define({ dependencies: [first.taskId] });
    expect(await topicsOf(() => insert(waiting))).toEqual([eventsTopic]);
  });

  it("wakes no topic if it exists or is refused", async () => {
    const task = await inserted();
    const orphan = define({ dependencies: [slugid()] });
    expect(await topicsOf(() => insert(task, orphan))).toEqual([]);
  });

  it("again wakes the claimers too, since they skipped the run while it was locked", async () => {
    const { taskId, taskQueueId } = await inserted();
    for (const repeat of [publishDefinedAgain, publishPendingAgain])
      expect(await topicsOf(() => repeat(database.db, taskId, taskQueueId))).toEqual([
        eventsTopic,
        pendingTopic(taskQueueId),
      ]);
  });
});

describe("creating a graph", () => {
  it("wakes the claimers of all its queues, and the topic of reordered runs, after the commit", async () => {
    const [first, second] = [define(), define()];
    const waiting = define({ dependencies: [first.taskId] });
    const { monitor } = testMonitor();
    const ctx = { db: database.db, clock: systemClock, config: configOf({}).queue, monitor };
    const plan = planTasks([first, second, waiting], new Map());
    const topics = await topicsOf(() => writeTasks(ctx, plan, startTimeSlice()));
    expect(topics).toEqual([eventsTopic, pending(first), pending(second), reorderedTopic]);
  });
});

describe("a claim", () => {
  it("wakes the readers of the log", async () => {
    const [first, second] = [await inserted(), await inserted()];
    const claim = () => claimPending(database.db, first.taskQueueId, [claimer], QUEUE_START, at, later);
    expect(await topicsOf(claim)).toEqual([eventsTopic]);
    const claimSecond = () => claimOne(database.db, second.taskId, 0, claimer, at, later);
    expect(await topicsOf(claimSecond)).toEqual([eventsTopic]);
  });

  it("wakes no topic if it finds nothing or the worker is in quarantine", async () => {
    const task = await running();
    const claim = () => claimPending(database.db, task.taskQueueId, [claimer], QUEUE_START, at, later);
    expect(await topicsOf(claim)).toEqual([]);
    expect(await topicsOf(() => claimOne(database.db, task.taskId, 0, claimer, at, later))).toEqual([]);
    await database.db.run(sql`
      insert into workers (task_queue_id, worker_group, worker_id, first_claim, expires, last_date_active, quarantine_until)
      values (${task.taskQueueId}, 'group', 'worker', now(), now(), now(), now() + interval '1 day')`);
    expect(await topicsOf(claim)).toEqual([]);
  });
});

describe("a resolution", () => {
  it("wakes the readers of the log, and the claimers of dependents and retries", async () => {
    const task = await running();
    const dependent = await inserted({ dependencies: [task.taskId] });
    expect(await topicsOf(() => resolve(task))).toEqual([eventsTopic, pending(dependent)]);
    const retried = await running({ retries: 1 });
    const retry = { state: "exception", reason: "worker-shutdown", retryAs: "retry" } as const;
    expect(await topicsOf(() => resolve(retried, retry))).toEqual([eventsTopic, pending(retried)]);
    const canceled = await running();
    const cancel = () => endTasks(database.db, [canceled.taskId], "canceled", at, true);
    expect(await topicsOf(cancel)).toEqual([eventsTopic]);
  });

  it("that finds nothing to resolve wakes no topic", async () => {
    const task = await running();
    await resolve(task);
    expect(await topicsOf(() => resolve(task))).toEqual([]);
    expect(await topicsOf(() => endTasks(database.db, [task.taskId], "canceled", at, true))).toEqual([]);
  });

  it("again wakes the readers of the log", async () => {
    const task = await running();
    expect(await topicsOf(() => publishResolvedAgain(database.db, task.taskId, 0))).toEqual([]);
    await resolve(task);
    expect(await topicsOf(() => publishResolvedAgain(database.db, task.taskId, 0))).toEqual([eventsTopic]);
  });

  it("with more dependents than one statement releases wakes the loop that releases the rest", async () => {
    const task = await running();
    const dependents = Array.from({ length: 1001 }, () =>
      define({ dependencies: [task.taskId], taskQueueId: "test/many" }),
    );
    await insert(...dependents);
    const many = pendingTopic("test/many");
    expect(await topicsOf(() => resolve(task))).toEqual([eventsTopic, many, unfinishedTopic]);
    expect(await topicsOf(() => releaseMore(database.db, at))).toEqual([eventsTopic, many]);
    expect(await topicsOf(() => releaseMore(database.db, at))).toEqual([]);
    const releaseAgain = () =>
      releaseResolved(database.db, [{ taskId: task.taskId, state: "completed" }], at);
    expect(await topicsOf(releaseAgain)).toEqual([]);
  });
});

describe("scheduleTask and rerunTask", () => {
  it("wake the readers of the log and the claimers, unless they add no run", async () => {
    const required = await inserted();
    const task = await inserted({ dependencies: [required.taskId] });
    const schedule = () => scheduleTask(database.db, task.taskId, at);
    expect(await topicsOf(schedule)).toEqual([eventsTopic, pending(task)]);
    expect(await topicsOf(schedule)).toEqual([]);
    await endTasks(database.db, [task.taskId], "canceled", at, true);
    const rerun = () => rerunTask(database.db, task.taskId, 1, 50, at);
    expect(await topicsOf(rerun)).toEqual([eventsTopic, pending(task)]);
    expect(await topicsOf(rerun)).toEqual([]);
  });
});

describe("a change of priorities", () => {
  it("wakes the claimers of the runs that it locked, and the topic of reordered runs", async () => {
    const task = await inserted();
    const change = (announce: boolean, priority: number) =>
      database.db.tx(async (tx) => {
        await lockForPriority(tx, [task.taskId]);
        await changePriorities(tx, [{ taskId: task.taskId, priority, announce }], at);
      });
    expect(await topicsOf(() => change(true, 3))).toEqual([eventsTopic, pending(task), reorderedTopic]);
    const group = { task_group_id: task.taskGroupId, scheduler_id: task.schedulerId };
    const announce = () => logGroupPriority(database.db, group, "low", 1);
    expect(await topicsOf(announce)).toEqual([eventsTopic]);
  });

  it("that fails wakes them too, since claims skipped the runs while they were locked", async () => {
    const task = await inserted();
    const fail = () =>
      database.db
        .tx(async (tx) => {
          await lockForPriority(tx, [task.taskId]);
          throw new Error("failed");
        })
        .catch(() => undefined);
    expect(await topicsOf(fail)).toEqual([pending(task), reorderedTopic]);
  });
});

describe("groups and artifacts", () => {
  it("wake the readers of the log when a group is sealed", async () => {
    const { taskGroupId } = await inserted();
    expect(await topicsOf(() => sealGroup(database.db, taskGroupId, at))).toEqual([eventsTopic]);
    expect(await topicsOf(() => sealGroup(database.db, slugid(), at))).toEqual([]);
  });

  it("wake the readers of the log when the event of an artifact is published, and not otherwise", async () => {
    const { taskId } = await running();
    const id = { taskId, runId: 0, name: "public/a" };
    const artifact = { ...id, contentType: "text/plain", contentLength: null, present: true, expires: later };
    const announce = { ...worker, status: "{}" };
    const write = (storageType: "s3" | "link", announced: typeof announce | null) => () =>
      writeArtifact(database.db, { ...artifact, name: storageType, storageType, details: "{}" }, announced);
    expect(await topicsOf(write("link", announce))).toEqual([eventsTopic]);
    expect(await topicsOf(write("s3", null))).toEqual([]);
    expect(await topicsOf(() => finishArtifact(database.db, { ...id, name: "s3" }, announce))).toEqual([
      eventsTopic,
    ]);
    expect(await topicsOf(() => finishArtifact(database.db, id, announce))).toEqual([]);
  });
});
