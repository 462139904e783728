// Transitions without their event are found; writes that publish none by design are not.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  expectFound,
  expectNoFaults,
  watchedConfig,
  watchedStack,
  type WatchedStack,
} from "../../../../../test/support/watched-stack.ts";
import { sql } from "../../../core/sql.ts";

let w: WatchedStack;
beforeAll(async () => {
  w = await watchedStack();
});
afterAll(() => w.stack.stop());
beforeEach(() => w.reset());

describe("a missing event", () => {
  beforeEach(async () => {
    // As if the log started now, so that the tests do not affect each other.
    await dropEventsBefore(w.clock.now());
    await w.clock.advance(2 * watchedConfig.watchdogPatience);
  });
  const dropEventsBefore = (at: number) =>
    w.db.run(sql`update event_log set dropped_before = ${new Date(at).toISOString()}`);
  const deleteEvent = (taskId: string, kind: string) =>
    w.corrupt(sql`
      delete from events
      where routing_key like ${`primary.${taskId}.%`} and exchange like ${`%/${kind}`}`);

  it("is found for every transition, with the transaction that should have published it", async () => {
    const ids = {
      "task-pending": await w.create(),
      "task-running": await w.create(),
      "task-completed": await w.completed(),
      "task-failed": await w.create(),
      "task-exception": await w.create(),
    };
    await w.claim(ids["task-running"]);
    await w.claim(ids["task-failed"]);
    await w.stack.client.queue.reportFailed({ taskId: ids["task-failed"], runId: 0 });
    await w.stack.client.queue.cancelTask({ taskId: ids["task-exception"] });
    await expectNoFaults(w);
    for (const [kind, taskId] of Object.entries(ids)) await deleteEvent(taskId, kind);
    await expectFound(
      w,
      "run-events",
      Object.fromEntries(
        Object.entries(ids).map(([kind, taskId]) => [
          `${taskId}/0`,
          `^was written by transaction \\d+, which logged no event "exchange/taskcluster-queue/v1/${kind} ${taskId}/0"$`,
        ]),
      ),
      false,
    );
  });

  it("is found for a retry, and for the definition of a task", async () => {
    const [retried, defined] = [await w.create(), await w.create({ dependencies: [await w.create()] })];
    await w.claim(retried);
    await w.stack.client.queue.reportException({ taskId: retried, runId: 0 }, { reason: "worker-shutdown" });
    await expectNoFaults(w);
    await w.db.run(sql`
      delete from events where routing_key like ${`primary.${retried}.1.%`} and exchange like '%/task-pending'`);
    await deleteEvent(defined, "task-defined");
    await w.runPass();
    expect((await w.findings()).map(({ check, subject }) => [check, subject])).toEqual([
      ["definition-events", defined],
      ["run-events", `${retried}/1`],
    ]);
  });

  it("is not reported for a reclaimed run or a changed priority, which publish none for the run", async () => {
    const [reclaimed, one, group] = [await w.create(), await w.create(), await w.create()];
    await w.claim(reclaimed);
    await w.stack.client.queue.reclaimTask({ taskId: reclaimed, runId: 0 });
    await w.stack.client.queue.changeTaskPriority({ taskId: one }, { newPriority: "high" });
    await w.stack.client.queue.changeTaskGroupPriority({ taskGroupId: group }, { newPriority: "high" });
    await expectNoFaults(w);
    expect(await w.findings()).toEqual([]);
    // The next transition is checked again.
    await w.complete(reclaimed);
    await deleteEvent(reclaimed, "task-completed");
    await w.runPass();
    expect((await w.findings()).map(({ subject }) => subject)).toEqual([`${reclaimed}/0`]);
  });

  it("is not searched for before the start of the log", async () => {
    const start = w.clock.now() - watchedConfig.watchdogPatience;
    const taskId = await w.completed();
    await deleteEvent(taskId, "task-completed");
    await dropEventsBefore(w.clock.now());
    await w.runPass();
    expect(await w.findings()).toEqual([]);
    await dropEventsBefore(start - 1);
    await w.runPass();
    expect((await w.findings()).map(({ subject }) => subject)).toEqual([`${taskId}/0`]);
  });
});
