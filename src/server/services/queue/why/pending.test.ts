// Why a pending task waits: its position in the queue, and how the queue is served.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { sql } from "../../../core/sql.ts";

const minute = 60_000;
const clock = manualClock();
const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
beforeAll(async () => {
  // Loops run only when a test runs them.
  const queue = { claimTimeout: minute, deadlineDelay: minute };
  stack = await testStack({ clock, manualLoops: true, config: { queue } });
});
afterAll(() => stack.stop());

const create = (overrides: Partial<TaskDefinitionRequest> = {}) =>
  createTask(stack.client, overrides, clock.now());
const claim = (taskId: string, runId = 0) => stack.client.queue.claimTask({ taskId, runId }, worker);
const why = (taskId: string) => stack.client.queue.why({ taskId });
/** Returns the reason with the task's position. */
const positionOf = async (taskId: string) =>
  (await why(taskId)).reasons.find(({ code }) => code === "position");
/** Returns the code and task of each reason. */
const codesOf = async (taskId: string) => (await why(taskId)).reasons.map((r) => `${r.code} ${r.taskId}`);
const at = (ms: number): string => new Date(clock.now() + ms).toISOString();

describe("a pending task", () => {
  it("has its position in the queue: by priority, then by age", async () => {
    const taskQueueId = "why/place";
    const first = await create({ taskQueueId });
    const second = await create({ taskQueueId });
    const urgent = await create({ taskQueueId, priority: "high" });
    expect(await positionOf(urgent)).toMatchObject({
      code: "position",
      summary: "Run 0 is the next to be claimed in why/place.",
      ahead: 0,
      exact: true,
      priority: "high",
    });
    const { reasons } = await why(second);
    expect(reasons.slice(1, 3)).toMatchObject([
      { code: "position", summary: "2 runs are ahead of it in why/place.", ahead: 2 },
      { code: "priority", summary: "1 of them has a higher priority than its own (lowest).", runs: 1 },
    ]);
    const { tasks } = await stack.client.queue.claimWork({ taskQueueId }, { ...worker, tasks: 2 });
    expect(tasks.map(({ status }) => status.taskId)).toEqual([urgent, first]);
    expect(await positionOf(second)).toMatchObject({ ahead: 0 });
  });

  it("is not behind runs past their deadline, and has no position after its own", async () => {
    const taskQueueId = "why/late";
    const late = await create({ taskQueueId, deadline: at(minute) });
    const taskId = await create({ taskQueueId });
    expect(await positionOf(taskId)).toMatchObject({ ahead: 1 });
    await clock.advance(minute + 1);
    expect(await positionOf(taskId)).toMatchObject({ ahead: 0 });
    expect(await codesOf(late)).toEqual([`deadline-passed ${late}`]);
  });

  it("has an exact position only up to ten thousand runs ahead", async () => {
    const taskQueueId = "why/many";
    await stack.database.db.run(sql`
      insert into runs (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline)
      select 'many-' || i, 0, 'pending', 'scheduled', now(), ${taskQueueId}, 1 + i % 2, '2100-01-01'
      from generate_series(1, 30000) i`);
    const taskId = await create({ taskQueueId });
    const start = performance.now();
    expect((await why(taskId)).reasons.slice(1, 3)).toMatchObject([
      { summary: "More than 10000 runs are ahead of it in why/many.", ahead: 10_000, exact: false },
      { code: "priority", runs: 10_000, exact: false },
    ]);
    expect(performance.now() - start).toBeLessThan(5_000);
    await stack.database.db.run(sql`delete from runs where task_queue_id = ${taskQueueId}`);
  });

  it("that is locked by a statement has that as a reason while it is locked", async () => {
    const taskId = await create({ taskQueueId: "why/locked" });
    await stack.database.db.tx(async (tx) => {
      await tx.run(sql`select from runs where task_id = ${taskId} for update`);
      expect(await codesOf(taskId)).toContain(`being-changed ${taskId}`);
    });
    expect(await codesOf(taskId)).not.toContain(`being-changed ${taskId}`);
  });

  it("has its earlier runs as reasons", async () => {
    const taskId = await create();
    await claim(taskId);
    await stack.client.queue.reportException({ taskId, runId: 0 }, { reason: "worker-shutdown" });
    await claim(taskId, 1);
    await stack.client.queue.reportFailed({ taskId, runId: 1 });
    await stack.client.queue.rerunTask({ taskId });
    const { reasons } = await why(taskId);
    expect(reasons.slice(-2)).toMatchObject([
      {
        code: "earlier-run",
        runId: 1,
        state: "failed",
        reasonResolved: "failed",
        ...worker,
        resolved: at(0),
      },
      { code: "earlier-run", runId: 0, state: "exception", reasonResolved: "worker-shutdown" },
    ]);
    expect(reasons.at(-1)?.summary).toBe(
      `Run 0 ended at ${at(0)}: worker g/w reported worker-shutdown. It was retried, since the task had retries left.`,
    );
    expect(reasons.at(-2)?.summary).toMatch(
      /worker g\/w reported that the task failed\. It was followed by a rerun\.$/,
    );
  });
});

describe("a queue", () => {
  it("that no worker has requested work from has that as first reason, and the claim time as unknown", async () => {
    const taskId = await create({ taskQueueId: "why/never" });
    expect((await why(taskId)).reasons).toEqual([
      {
        code: "no-worker",
        summary: "No worker serves why/never: none has requested work in the last day.",
        taskId,
        taskQueueId: "why/never",
      },
      expect.objectContaining({ code: "position", ahead: 0 }),
      {
        code: "unknown",
        summary: "When it will be claimed is unknown: no worker serves why/never now.",
        taskId,
        about: "time until the claim",
      },
    ]);
  });

  it("that is served has a claim rate and an estimate of the time until the claim", async () => {
    const taskQueueId = "why/served";
    for (let i = 0; i < 20; i++) await create({ taskQueueId });
    await stack.client.queue.claimWork({ taskQueueId }, { ...worker, tasks: 10 });
    const taskId = await create({ taskQueueId });
    const { reasons } = await why(taskId);
    expect(reasons.slice(1)).toMatchObject([
      { code: "workers", workers: 1, quarantined: 0, claimed: 10, lastSeen: at(0) },
      { code: "claim-rate", claims: 10, estimate: expect.any(Number) },
    ]);
    expect(reasons[1]?.summary).toMatch(
      /^1 worker of why\/served is active; the last was seen at \S+ 10 runs of the queue are running\.$/,
    );
    expect(reasons[2]?.summary).toMatch(
      /^10 runs of why\/served were claimed in the last 1[01] minutes: at that rate it is claimed in about 1[12] min, unless runs of higher priority arrive or the 10 running runs take longer than those did\.$/,
    );
  });

  it("whose workers are all in quarantine has that as first reason", async () => {
    const taskQueueId = "why/gone";
    await create({ taskQueueId });
    await stack.client.queue.claimWork({ taskQueueId }, { ...worker, tasks: 1 });
    const taskId = await create({ taskQueueId, deadline: at(60 * minute) });
    expect((await why(taskId)).reasons[1]).toMatchObject({ code: "workers" });
    await stack.database.db.run(sql`
      update workers set quarantine_until = '2100-01-01' where task_queue_id = ${taskQueueId}`);
    const { reasons } = await why(taskId);
    // Even though a run was claimed a moment ago.
    expect(reasons.at(-1)).toMatchObject({
      code: "unknown",
      summary: "When it will be claimed is unknown: no worker serves why/gone now.",
    });
    expect(reasons[0]).toMatchObject({
      code: "workers-quarantined",
      summary: "1 worker of why/gone is active, but all are in quarantine and get no work.",
      workers: 1,
    });
  });

  it("whose workers are silent for over a minute has no worker, unless a worker holds a run and may be busy", async () => {
    const taskQueueId = "why/silent";
    const running = await create({ taskQueueId });
    await stack.client.queue.claimWork({ taskQueueId }, { ...worker, tasks: 1 });
    const lastSeen = at(0);
    const taskId = await create({ taskQueueId, deadline: at(60 * minute) });
    await clock.advance(50_000);
    await stack.client.queue.reclaimTask({ taskId: running, runId: 0 });
    const renewed = at(0);
    await clock.advance(minute - 1000);
    expect((await why(taskId)).reasons[1]?.summary).toBe(
      `1 worker of why/silent is active; the last was seen at ${renewed}. 1 run of the queue is running.`,
    );
    expect(renewed).not.toBe(lastSeen);
    await stack.database.db.run(
      sql`update runs set taken_until = ${at(10 * minute)}::timestamptz where task_id = ${running}`,
    );
    await clock.advance(3000);
    expect((await why(taskId)).reasons[1]).toMatchObject({
      code: "workers",
      summary: `1 worker of why/silent holds runs, but none has requested work or renewed a claim since ${renewed}: busy, or gone. 1 run of the queue is running.`,
      workers: 1,
      claimed: 1,
      lastSeen: renewed,
    });
    await stack.client.queue.cancelTask({ taskId: running });
    const { reasons } = await why(taskId);
    expect(reasons[0]).toEqual({
      code: "no-worker",
      summary: `No worker serves why/silent: none has requested work or renewed a claim since ${renewed}, and a waiting one would have.`,
      taskId,
      taskQueueId,
      lastSeen: renewed,
    });
    // The claims of the last minutes promise nothing.
    expect(reasons.at(-1)).toMatchObject({ code: "unknown", about: "time until the claim" });
  });

  it("that the server serves itself requires no worker", async () => {
    const taskId = await create({ taskQueueId: "built-in/succeed" });
    const codes = (await why(taskId)).reasons.map(({ code }) => code);
    expect(codes).not.toContain("no-worker");
  });
});
