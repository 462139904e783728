// Dependents: when they become pending, and that none of them waits forever.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCopies, createTask, newTask } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { until } from "../../../../../test/support/until.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";
import { endTasks } from "./store/end-tasks.ts";
import { insertTasks, lockRequired } from "../tasks/store/insert-tasks.ts";
import { resolveRuns } from "./store/resolve-runs.ts";

let stack: Stack;
beforeAll(async () => {
  // So long that polling finds nothing: each step needs a wake-up.
  stack = await testStack({ manualLoops: true });
});
afterAll(() => stack.stop());

const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const stateOf = async (taskId: string) => (await statusOf(taskId)).state;
const claim = (taskId: string, runId = 0) =>
  stack.client.queue.claimTask({ taskId, runId }, { workerGroup: "g", workerId: "w" });
const complete = (taskId: string, runId = 0) => stack.client.queue.reportCompleted({ taskId, runId });
const fail = (taskId: string, runId = 0) => stack.client.queue.reportFailed({ taskId, runId });
const summaryOf = async (taskId: string) => summarize(await queueEvents(stack.database.db, { taskId }));
const now = (): string => new Date().toISOString();

async function running(): Promise<string> {
  const taskId = await createTask(stack.client);
  await claim(taskId);
  return taskId;
}

/** Runs `body` `count` times, ten concurrently. */
async function repeat(count: number, body: () => Promise<void>): Promise<void> {
  for (let i = 0; i < count; i += 10) await Promise.all(Array.from({ length: 10 }, body));
}

/** Resolves when a statement waits for a lock. */
const statementBlocked = () =>
  until("a statement that waits for a lock", async () => {
    const blocked = await stack.database.db.run(sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    return blocked > 0;
  });

describe("a dependent", () => {
  it("becomes pending when the last of its dependencies completes", async () => {
    const required = [await running(), await running(), await running()];
    const taskId = await createTask(stack.client, { dependencies: required });
    for (const id of required) {
      expect(await stateOf(taskId)).toBe("unscheduled");
      await complete(id);
    }
    const status = await statusOf(taskId);
    expect(status).toMatchObject({ state: "pending", runs: [{ runId: 0, reasonCreated: "scheduled" }] });
    const events = await queueEvents(stack.database.db, { taskId });
    expect(summarize(events)).toEqual(["task-defined", "task-pending 0"]);
    expect(events.at(-1)?.payload.status).toEqual(status);
  });

  it("that requires completion keeps waiting when a dependency fails, until a rerun of it completes", async () => {
    const required = await running();
    const taskId = await createTask(stack.client, { dependencies: [required] });
    await fail(required);
    expect(await stateOf(taskId)).toBe("unscheduled");
    await stack.client.queue.rerunTask({ taskId: required });
    await claim(required, 1);
    await complete(required, 1);
    expect(await stateOf(taskId)).toBe("pending");
  });

  it("that requires resolution accepts failure, cancellation and exceptions, but not a retry", async () => {
    const required = [await running(), await running(), await running()] as const;
    const [failing, canceled, lost] = required;
    const taskId = await createTask(stack.client, { dependencies: [...required], requires: "all-resolved" });
    await fail(failing);
    await stack.client.queue.cancelTask({ taskId: canceled });
    await stack.client.queue.reportException({ taskId: lost, runId: 0 }, { reason: "worker-shutdown" });
    expect(await stateOf(taskId)).toBe("unscheduled");
    await claim(lost, 1);
    await stack.client.queue.reportException({ taskId: lost, runId: 1 }, { reason: "internal-error" });
    expect(await stateOf(taskId)).toBe("pending");
  });

  it("is unaffected when a dependency is rerun, and is not scheduled twice", async () => {
    const required = await running();
    const taskId = await createTask(stack.client, { dependencies: [required] });
    await complete(required);
    await stack.client.queue.rerunTask({ taskId: required });
    expect(await stateOf(taskId)).toBe("pending");
    await claim(required, 1);
    await complete(required, 1);
    expect((await statusOf(taskId)).runs).toHaveLength(1);
    expect(await summaryOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
  });

  it("that was scheduled by scheduleTask or canceled before is not changed", async () => {
    const required = await running();
    const [scheduled, canceled] = [
      await createTask(stack.client, { dependencies: [required] }),
      await createTask(stack.client, { dependencies: [required] }),
    ];
    await stack.client.queue.scheduleTask({ taskId: scheduled });
    await stack.client.queue.cancelTask({ taskId: canceled });
    await complete(required);
    expect((await statusOf(scheduled)).runs).toHaveLength(1);
    expect(await statusOf(canceled)).toMatchObject({ state: "exception", runs: [{ runId: 0 }] });
    expect(await summaryOf(scheduled)).toEqual(["task-defined", "task-pending 0"]);
  });

  it("past its deadline is not scheduled", async () => {
    const required = await running();
    const taskId = await createTask(stack.client, { dependencies: [required] });
    await stack.database.db.run(
      sql`update tasks set deadline = now() - interval '1 second' where task_id = ${taskId}`,
    );
    await complete(required);
    expect(await stateOf(taskId)).toBe("unscheduled");
  });

  it("is scheduled together with three hundred others of the same task", async () => {
    const required = await running();
    const ids = await createCopies(stack.client, 300, { dependencies: [required], taskGroupId: required });
    await complete(required);
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId: required });
    expect(
      tasks.filter(({ status }) => status.state === "pending").map(({ status }) => status.taskId),
    ).toEqual(ids.toSorted());
  });
});

describe("more dependents of one task than one statement releases", () => {
  const unfinished = async () => stack.database.db.run(sql`select from unfinished_releases`);

  it("all become pending, each published once, after their dependency's resolution", async () => {
    const required = await running();
    const ids = await createCopies(stack.client, 2500, { dependencies: [required], taskGroupId: required });
    await complete(required);
    await until("the release to finish", async () => (await unfinished()) === 0);
    const pending = await stack.database.db.run(sql`
      select from runs r join tasks t using (task_id)
      where t.task_group_id = ${required} and r.state = 'pending' and t.unsatisfied = 0`);
    expect(pending).toBe(ids.length);
    const kinds = summarize(await queueEvents(stack.database.db, { taskGroupId: required }));
    const resolution = kinds.indexOf("task-completed 0");
    expect(kinds.slice(resolution + 1)).toEqual(ids.map(() => "task-pending 0"));
  });
});

describe("a dependent that is created while its dependency resolves", () => {
  it("becomes pending if the report arrives before the dependent is committed", async () => {
    const required = await running();
    const taskId = slugid();
    const task = newTask({ dependencies: [required] }, Date.now(), taskId);
    let report: Promise<unknown> = Promise.resolve();
    await stack.database.db.tx(async (tx) => {
      await lockRequired(tx, [required]);
      report = complete(required);
      await statementBlocked();
      await insertTasks(tx, [task], now(), 0);
    });
    await report;
    expect(await stateOf(taskId)).toBe("pending");
    expect(await summaryOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
  });

  it("becomes pending whichever call is first", async () => {
    await repeat(40, async () => {
      const required = await running();
      const created = createTask(stack.client, { dependencies: [required] });
      const [taskId] = await Promise.all([created, complete(required)]);
      expect(await stateOf(taskId)).toBe("pending");
    });
  });
});

describe("dependencies that resolve concurrently", () => {
  it("schedule their common dependent once", async () => {
    await repeat(40, async () => {
      const required = [await running(), await running()];
      const taskId = await createTask(stack.client, { dependencies: required });
      await Promise.all(required.map((id) => complete(id)));
      expect(await statusOf(taskId)).toMatchObject({ state: "pending", runs: [{ runId: 0 }] });
      expect(await summaryOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
    });
  });

  it("are each counted if one statement resolves two of three", async () => {
    const [one, two, three] = [await running(), await running(), await running()];
    const taskId = await createTask(stack.client, { dependencies: [one, two, three] });
    const report = {
      runId: 0,
      state: "completed",
      reason: "completed",
      retryAs: null,
      takenUntil: null,
    } as const;
    await resolveRuns(
      stack.database.db,
      [one, two].map((id) => ({ ...report, taskId: id })),
      now(),
    );
    expect(await stateOf(taskId)).toBe("unscheduled");
    await complete(three);
    expect(await stateOf(taskId)).toBe("pending");
  });

  it("may depend on each other: a statement does not schedule a task that it resolves", async () => {
    const first = await createTask(stack.client);
    const second = await createTask(stack.client, { dependencies: [first], requires: "all-resolved" });
    const third = await createTask(stack.client, { dependencies: [second], requires: "all-resolved" });
    const resolved = await endTasks(stack.database.db, [third, first, second], "canceled", now(), true);
    expect(resolved).toHaveLength(3);
    for (const taskId of [first, second, third])
      expect(await statusOf(taskId)).toMatchObject({
        state: "exception",
        runs: [{ runId: 0, reasonResolved: "canceled" }],
      });
  });

  it("may depend on each other: a statement does not schedule a task that it retries", async () => {
    const first = await running();
    const other = await running();
    const second = await createTask(stack.client, { dependencies: [first, other] });
    await stack.client.queue.scheduleTask({ taskId: second });
    await claim(second);
    const report = { runId: 0, takenUntil: null };
    const rows = await resolveRuns(
      stack.database.db,
      [
        { ...report, taskId: first, state: "completed", reason: "completed", retryAs: null },
        { ...report, taskId: second, state: "exception", reason: "worker-shutdown", retryAs: "retry" },
      ],
      now(),
    );
    expect(rows.map(({ status }) => status)).not.toContain(null);
    await complete(other);
    await claim(second, 1);
    expect((await complete(second, 1)).status).toMatchObject({
      state: "completed",
      retriesLeft: 4,
      runs: [{}, {}],
    });
  });
});
