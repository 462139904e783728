// claimWork, claimTask and reclaimTask over HTTP. The clock does not move, so a waiting claim returns only if woken.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { until } from "../../../../../test/support/until.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";

const clock = manualClock();
const now = clock.now();
const at = (ms: number): string => new Date(now + ms).toISOString();
const CLAIM = 1_200_000;
const worker = { workerGroup: "group", workerId: "worker" };

let stack: Stack;
let otherTimers = 0;
beforeAll(async () => {
  stack = await testStack({ clock, config: { queue: { maxTasksPerClaim: 20 } } });
  for (const loop of Object.values(stack.server.loops)) await loop.idle();
  // Plus one: the first claim starts the timer that writes the worker activity buffer.
  otherTimers = clock.pending() + 1;
});
afterAll(() => stack.stop());

let queues = 0;
/** Returns a queue that no other test uses. */
const newQueue = (): string => `test/queue-${++queues}`;
const create = (taskQueueId: string, overrides: Partial<TaskDefinitionRequest> = {}): Promise<string> =>
  createTask(stack.client, { taskQueueId, ...overrides }, clock.now());
const claim = async (
  taskQueueId: string,
  { tasks = 1, ...options }: { tasks?: number; claimId?: string } = {},
) => (await stack.client.queue.claimWork({ taskQueueId }, { ...worker, tasks, ...options })).tasks;
const idsOf = (claimed: readonly { status: { taskId: string } }[]) => claimed.map((c) => c.status.taskId);
/** Resolves when `n` claims wait: each has a timer in the client and one in the server; their queue has one for polling. */
const waitingClaims = (n: number) =>
  until(`${n} waiting claims`, async () => clock.pending() === otherTimers + 2 * n + 1);

describe("claimWork", () => {
  it("returns the highest priority first, then the oldest, and no more than requested", async () => {
    const queue = newQueue();
    const [a, b, c, d, e] = [
      await create(queue, { priority: "low" }),
      await create(queue, { priority: "highest" }),
      await create(queue),
      await create(queue, { priority: "low" }),
      await create(queue, { priority: "highest" }),
    ];
    expect(idsOf(await claim(queue))).toEqual([b]);
    expect(idsOf(await claim(queue, { tasks: 3 }))).toEqual([e, a, d]);
    expect(idsOf(await claim(queue, { tasks: 32 }))).toEqual([c]);
  });

  it("returns no more than the configured maximum", async () => {
    const queue = newQueue();
    await Promise.all(Array.from({ length: 21 }, () => create(queue)));
    expect(await claim(queue, { tasks: 32 })).toHaveLength(20);
  });

  it("returns the definition, the status, and credentials for the task", async () => {
    const queue = newQueue();
    const taskId = await create(queue, { scopes: ["some:scope:*"] });
    const [claimed] = await claim(queue);
    const { status } = await stack.client.queue.status({ taskId });
    expect(claimed).toEqual({
      status,
      runId: 0,
      ...worker,
      takenUntil: at(CLAIM),
      task: await stack.client.queue.task({ taskId }),
      credentials: {
        clientId: `task-client/${taskId}/0/on/group/worker/until/${(now + CLAIM) / 1000}`,
        accessToken: expect.any(String),
        certificate: expect.any(String),
      },
    });
    expect(status.runs).toEqual([
      {
        runId: 0,
        state: "running",
        reasonCreated: "scheduled",
        ...worker,
        takenUntil: at(CLAIM),
        scheduled: at(0),
        started: at(0),
      },
    ]);
    const asTask = stack.as(claimed?.credentials);
    const { scopes } = await asTask.auth.currentScopes();
    expect(scopes).toEqual(
      expect.arrayContaining([
        `queue:create-artifact:${taskId}/0`,
        `queue:reclaim-task:${taskId}/0`,
        `queue:resolve-task:${taskId}/0`,
        "some:scope:*",
      ]),
    );
    await expect(asTask.queue.cancelTask({ taskId })).rejects.toMatchObject({ statusCode: 403 });
    expect((await asTask.queue.reportCompleted({ taskId, runId: 0 })).status.state).toBe("completed");
  });

  it("publishes the worker and the end of the claim", async () => {
    const queue = newQueue();
    const taskId = await create(queue, { routes: ["r"], tags: { a: "b" } });
    await claim(queue);
    const events = await queueEvents(stack.database.db, { taskId });
    expect(summarize(events)).toEqual(["task-defined", "task-pending 0", "task-running 0"]);
    const { status } = await stack.client.queue.status({ taskId });
    expect(events.at(-1)).toMatchObject({
      routes: ["r"],
      payload: { ...worker, runId: 0, takenUntil: at(CLAIM), task: { tags: { a: "b" } }, status },
    });
  });

  it("waits for a task to be created, and for one whose dependency is resolved", async () => {
    const queue = newQueue();
    const first = claim(queue);
    await waitingClaims(1);
    const required = await create(queue);
    expect(idsOf(await first)).toEqual([required]);

    const dependent = await create(queue, { dependencies: [required] });
    const second = claim(queue);
    await waitingClaims(1);
    await stack.client.queue.reportCompleted({ taskId: required, runId: 0 });
    expect(idsOf(await second)).toEqual([dependent]);
  });

  it.each(["scheduleTask", "rerunTask"] as const)(
    "waits for a task that %s makes pending",
    async (method) => {
      const queue = newQueue();
      const taskId = slugid();
      const body = taskDefinition({ taskQueueId: queue, dependencies: [taskId] }, clock.now());
      await stack.client.queue.createTask({ taskId }, body);
      const waiting = claim(queue);
      await waitingClaims(1);
      await stack.client.queue[method]({ taskId });
      expect(idsOf(await waiting)).toEqual([taskId]);
    },
  );

  it("waits for a retry", async () => {
    const queue = newQueue();
    const taskId = await create(queue);
    await claim(queue);
    const waiting = claim(queue);
    await waitingClaims(1);
    await stack.client.queue.reportException({ taskId, runId: 0 }, { reason: "worker-shutdown" });
    expect(await waiting).toMatchObject([{ runId: 1, status: { taskId } }]);
  });

  it("returns nothing after twenty seconds", async () => {
    const waiting = claim(newQueue());
    await waitingClaims(1);
    await clock.advance(20_000);
    expect(await waiting).toEqual([]);
  });

  it("stops waiting when the client disconnects, and leaves the task to others", async () => {
    const queue = newQueue();
    const connection = new AbortController();
    const disconnected = stack.client.queue.claimWork(
      { taskQueueId: queue },
      { ...worker, tasks: 1 },
      { signal: connection.signal },
    );
    await waitingClaims(1);
    connection.abort();
    await expect(disconnected).rejects.toThrow("This operation was aborted");
    await until("no waiting claim", async () => clock.pending() === otherTimers);
    const taskId = await create(queue);
    expect(idsOf(await claim(queue))).toEqual([taskId]);
  });

  it("never gives a run to two claimers, and serves every claimer if there are enough runs", async () => {
    const queue = newQueue();
    const created = await Promise.all(Array.from({ length: 100 }, () => create(queue)));
    const claims = await Promise.all(Array.from({ length: 25 }, () => claim(queue, { tasks: 4 })));
    expect(claims.map((claimed) => claimed.length)).toEqual(Array.from({ length: 25 }, () => 4));
    expect(new Set(claims.flatMap(idsOf))).toEqual(new Set(created));
  });

  it("returns the same runs for a repeated claimId while they are running", async () => {
    const queue = newQueue();
    for (let i = 0; i < 3; i++) await create(queue);
    const [claimId, other] = [slugid(), slugid()];
    const first = await claim(queue, { tasks: 2, claimId });
    expect(first).toHaveLength(2);
    const again = await claim(queue, { tasks: 2, claimId });
    const credentials = expect.anything();
    expect(again).toEqual(first.map((claimed) => ({ ...claimed, credentials })));
    expect(idsOf(await claim(queue, { tasks: 2, claimId: other }))).toHaveLength(1);
    await stack.client.queue.reportCompleted({ taskId: idsOf(first)[0] ?? "", runId: 0 });
    expect(idsOf(await claim(queue, { tasks: 2, claimId }))).toEqual(idsOf(first).slice(1));
    for (const taskId of idsOf(first).slice(1))
      expect(summarize(await queueEvents(stack.database.db, { taskId })).at(-1)).toBe("task-running 0");
  });

  it("with a claimId used on another queue, claims from its own queue", async () => {
    const [here, there] = [newQueue(), newQueue()];
    const claimId = slugid();
    const ids = [await create(here), await create(there)];
    expect(idsOf(await claim(here, { claimId }))).toEqual(ids.slice(0, 1));
    expect(idsOf(await claim(there, { claimId }))).toEqual(ids.slice(1));
  });

  it("with a claimId, takes over from a call that is still waiting", async () => {
    const queue = newQueue();
    const claimId = slugid();
    const earlier = claim(queue, { claimId });
    await waitingClaims(1);
    const later = claim(queue, { claimId });
    expect(await earlier).toEqual([]);
    await waitingClaims(1);
    const taskId = await create(queue);
    expect(idsOf(await later)).toEqual([taskId]);
  });

  it("accepts the queue with an encoded or a plain slash", async () => {
    const queue = newQueue();
    for (const path of [queue, encodeURIComponent(queue)]) {
      const url = `${stack.rootUrl}/api/queue/v1/claim-work/${path}`;
      const reply = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(worker),
      });
      expect([reply.status, await reply.text()]).toEqual([
        403,
        expect.stringContaining(`claim-work:${queue}`),
      ]);
    }
  });
});

describe("claimTask", () => {
  const claimTask = (taskId: string, runId = 0, workerId = "worker") =>
    stack.client.queue.claimTask({ taskId, runId }, { workerGroup: "group", workerId });

  it("claims one run, and repeats the reply for the same worker", async () => {
    const taskId = await create(newQueue());
    const first = await claimTask(taskId);
    expect(first).toMatchObject({
      runId: 0,
      ...worker,
      takenUntil: at(20_000 + CLAIM),
      task: { priority: "lowest" },
    });
    const again = await claimTask(taskId);
    expect(again).toMatchObject({ takenUntil: first.takenUntil, status: first.status });
    expect(summarize(await queueEvents(stack.database.db, { taskId }))).toEqual([
      "task-defined",
      "task-pending 0",
      "task-running 0",
    ]);
    expect((await stack.as(again.credentials).queue.reportCompleted({ taskId, runId: 0 })).status.state).toBe(
      "completed",
    );
  });

  it("refuses a run that another worker has claimed, that is resolved, or that does not exist", async () => {
    const taskId = await create(newQueue());
    await claimTask(taskId);
    await expect(claimTask(taskId, 0, "other")).rejects.toMatchObject({
      code: "RequestConflict",
      message: `Run 0 of task ${taskId} cannot be claimed: it is not pending, and not held by group/other. Claim another one.`,
    });
    await stack.client.queue.reportFailed({ taskId, runId: 0 });
    await expect(claimTask(taskId)).rejects.toMatchObject({ code: "RequestConflict" });
    await expect(claimTask(taskId, 1)).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: `Task ${taskId} has no run 1: its latest is 0. The status of the task lists them.`,
    });
  });

  it("refuses a task past its deadline", async () => {
    const taskId = await create(newQueue(), { deadline: new Date(clock.now()).toISOString() });
    await clock.advance(1);
    await expect(claimTask(taskId)).rejects.toMatchObject({
      code: "RequestConflict",
      message: expect.stringMatching(
        /^The deadline of task .* has passed, so it can change no more\. Create a new task\.$/,
      ),
    });
  });

  it("requires the scopes of the queue and of the worker", async () => {
    const taskId = await create("test/scopes");
    const scopes = ["queue:claim-task:test/scopes", "queue:worker-id:group/worker"];
    for (const missing of scopes) {
      const limited = stack.limited(scopes.filter((scope) => scope !== missing));
      await expect(limited.queue.claimTask({ taskId, runId: 0 }, worker)).rejects.toMatchObject({
        code: "InsufficientScopes",
        message: expect.stringContaining(missing),
      });
    }
    await stack.limited(scopes).queue.claimTask({ taskId, runId: 0 }, worker);
  });
});

describe("reclaimTask", () => {
  it("extends the claim, and returns credentials that are valid as long", async () => {
    const queue = newQueue();
    const taskId = await create(queue);
    const [claimed] = await claim(queue);
    await clock.advance(1_000);
    const asTask = stack.as(claimed?.credentials);
    const reclaimed = await asTask.queue.reclaimTask({ taskId, runId: 0 });
    const takenUntil = new Date(clock.now() + CLAIM).toISOString();
    const { status } = await stack.client.queue.status({ taskId });
    expect(reclaimed).toEqual({
      status,
      runId: 0,
      ...worker,
      takenUntil,
      credentials: {
        clientId: `task-client/${taskId}/0/on/group/worker/until/${(clock.now() + CLAIM) / 1000}`,
        accessToken: expect.any(String),
        certificate: expect.any(String),
      },
    });
    expect(status.runs[0]).toMatchObject({ state: "running", takenUntil });
    await stack.as(reclaimed.credentials).queue.reclaimTask({ taskId, runId: 0 });
    expect(summarize(await queueEvents(stack.database.db, { taskId })).at(-1)).toBe("task-running 0");
  });

  it("extends many claims concurrently, and returns each caller its own run", async () => {
    const queue = newQueue();
    for (let i = 0; i < 20; i++) await create(queue);
    const claimed = await claim(queue, { tasks: 20 });
    const taskIds = [...idsOf(claimed), ...idsOf(claimed)];
    const replies = await Promise.all(
      taskIds.map((taskId) => stack.client.queue.reclaimTask({ taskId, runId: 0 })),
    );
    expect(idsOf(replies)).toEqual(taskIds);
  });

  it("refuses a run that is not running, that does not exist, or whose task is past its deadline", async () => {
    const queue = newQueue();
    const reclaim = (taskId: string, runId = 0) => stack.client.queue.reclaimTask({ taskId, runId });
    const taskId = await create(queue, { deadline: new Date(clock.now() + 60_000).toISOString() });
    const notRunning = {
      code: "RequestConflict",
      message: `Run 0 of task ${taskId} is not running any more, so its claim cannot be kept: stop working on it.`,
    };
    await expect(reclaim(taskId)).rejects.toMatchObject(notRunning);
    await claim(queue);
    await reclaim(taskId);
    await expect(reclaim(taskId, 1)).rejects.toMatchObject({ code: "ResourceNotFound" });
    await clock.advance(60_001);
    await expect(reclaim(taskId)).rejects.toMatchObject({
      code: "RequestConflict",
      message: expect.stringContaining("deadline"),
    });
    const canceled = await create(queue);
    await claim(queue);
    await stack.client.queue.cancelTask({ taskId: canceled });
    await expect(reclaim(canceled)).rejects.toMatchObject({ code: "RequestConflict" });
  });
});
