// A transition without its event: each kind is found, and what leaves none by intention is not.
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

describe("an event that is missing", () => {
  beforeEach(async () => {
    // As if the log began now: what earlier tests left is none of this one's.
    await dropEventsBefore(w.clock.now());
    await w.clock.advance(2 * watchedConfig.watchdogPatience);
  });
  const dropEventsBefore = (at: number) =>
    w.db.run(sql`update event_log set dropped_before = ${new Date(at).toISOString()}`);
  const lose = (taskId: string, kind: string) =>
    w.corrupt(sql`
      delete from events
      where routing_key like ${`primary.${taskId}.%`} and exchange like ${`%/${kind}`}`);

  it("is told of every transition, with the transaction that should have left it", async () => {
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
    for (const [kind, taskId] of Object.entries(ids)) await lose(taskId, kind);
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

  it("is told of a retry, and of a task that was defined", async () => {
    const [retried, defined] = [await w.create(), await w.create({ dependencies: [await w.create()] })];
    await w.claim(retried);
    await w.stack.client.queue.reportException({ taskId: retried, runId: 0 }, { reason: "worker-shutdown" });
    await expectNoFaults(w);
    await w.db.run(sql`
      delete from events where routing_key like ${`primary.${retried}.1.%`} and exchange like '%/task-pending'`);
    await lose(defined, "task-defined");
    await w.runPass();
    expect((await w.findings()).map(({ check, subject }) => [check, subject])).toEqual([
      ["definition-events", defined],
      ["run-events", `${retried}/1`],
    ]);
  });

  it("is none where a claim was kept, or a priority changed: such writes leave none", async () => {
    const [kept, one, group] = [await w.create(), await w.create(), await w.create()];
    await w.claim(kept);
    await w.stack.client.queue.reclaimTask({ taskId: kept, runId: 0 });
    await w.stack.client.queue.changeTaskPriority({ taskId: one }, { newPriority: "high" });
    await w.stack.client.queue.changeTaskGroupPriority({ taskGroupId: group }, { newPriority: "high" });
    await expectNoFaults(w);
    expect(await w.findings()).toEqual([]);
    // And afterwards the next transition counts again.
    await w.complete(kept);
    await lose(kept, "task-completed");
    await w.runPass();
    expect((await w.findings()).map(({ subject }) => subject)).toEqual([`${kept}/0`]);
  });

  it("is not looked for where the log does not reach back", async () => {
    const began = w.clock.now() - watchedConfig.watchdogPatience;
    const taskId = await w.completed();
    await lose(taskId, "task-completed");
    await dropEventsBefore(w.clock.now());
    await w.runPass();
    expect(await w.findings()).toEqual([]);
    await dropEventsBefore(began - 1);
    await w.runPass();
    expect((await w.findings()).map(({ subject }) => subject)).toEqual([`${taskId}/0`]);
  });
});
