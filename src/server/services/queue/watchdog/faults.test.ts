// The database is corrupted on purpose in every way that the watchdog checks: each fault is found, reported once, and
// repaired if the check does so.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import {
  expectFound,
  expectNoFaults,
  watchedStack,
  type WatchedStack,
} from "../../../../../test/support/watched-stack.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

let w: WatchedStack;
beforeAll(async () => {
  w = await watchedStack();
});
afterAll(() => w.stack.stop());
beforeEach(() => w.reset());

const summaryOf = async (taskId: string) => summarize(await queueEvents(w.db, { taskId }));

// Statements that corrupt a run set `quiet`; otherwise the missing event would be found as well.
describe("a pending run", () => {
  it("whose queue, priority or deadline differs from its task's receives that of the task", async () => {
    const [queue, priority, deadline] = [await w.create(), await w.create(), await w.create()];
    await w.corrupt(
      sql`update runs set task_queue_id = 'other/queue', quiet = true where task_id = ${queue}`,
    );
    await w.corrupt(sql`update runs set priority = 7, quiet = true where task_id = ${priority}`);
    await w.corrupt(sql`update runs set deadline = '2100-01-01', quiet = true where task_id = ${deadline}`);
    await expectFound(
      w,
      "pending-run",
      {
        [`${queue}/0`]: "^is in queue other/queue, unlike its task$",
        [`${priority}/0`]: "^has a different priority than its task$",
        [`${deadline}/0`]: "^has a different deadline than its task$",
      },
      true,
    );
    await expectNoFaults(w);
    await w.stack.client.queue.claimWork(
      { taskQueueId: "test/queue" },
      { workerGroup: "g", workerId: "w", tasks: 32 },
    );
    for (const taskId of [queue, priority, deadline])
      expect((await w.statusOf(taskId)).state).toBe("running");
  });

  it("without a task is reported, and not changed", async () => {
    const taskId = slugid();
    await w.corrupt(sql`
      insert into runs (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline, quiet)
      values (${taskId}, 0, 'pending', 'scheduled', now(), 'a/b', 1, '2100-01-01', true)`);
    await expectFound(w, "pending-run", { [`${taskId}/0`]: "^has no task$" }, false);
    await w.db.run(sql`delete from runs where task_id = ${taskId}`);
    await expectNoFaults(w);
    expect(await w.findings()).toMatchObject([{ check: "pending-run", ended: expect.any(String) }]);
  });
});

it("a running run that is not the latest, or in another queue, is reported and not changed", async () => {
  const [early, moved] = [await w.create(), await w.create()];
  await w.claim(early);
  await w.claim(moved);
  await w.corrupt(sql`update runs set run_id = 3 where task_id = ${early}`);
  await w.corrupt(sql`update runs set task_queue_id = 'other/queue' where task_id = ${moved}`);
  await w.runPass();
  expect(await w.findings("running-run")).toMatchObject(
    [
      { subject: `${early}/3`, detail: "is not the latest run of its task, which counts 1" },
      { subject: `${moved}/0`, detail: "is in queue other/queue, unlike its task" },
    ].toSorted((a, b) => (a.subject < b.subject ? -1 : 1)),
  );
  await w.db.run(sql`delete from runs where task_id = any(${[early, moved]}::text[])`);
  await w.db.run(sql`delete from tasks where task_id = any(${[early, moved]}::text[])`);
  await w.db.run(sql`delete from task_groups where task_group_id = any(${[early, moved]}::text[])`);
});

describe("an unscheduled task", () => {
  it("whose resolved dependency was not counted is scheduled", async () => {
    const required = await w.create();
    const taskId = await w.create({ dependencies: [required], requires: "all-resolved" });
    await w.claim(required);
    // As if the edge had been invisible to the resolution.
    await w.corrupt(sql`delete from task_dependencies where dependent = ${taskId}`);
    await w.stack.client.queue.reportFailed({ taskId: required, runId: 0 });
    await w.corrupt(sql`insert into task_dependencies values (${taskId}, ${required}, true, false)`);
    // Not while the release of its dependents is in progress.
    await w.corrupt(sql`insert into unfinished_releases values (${required}, 'failed')`);
    await expectNoFaults(w);
    await w.corrupt(sql`delete from unfinished_releases`);
    await expectFound(
      w,
      "dependents",
      { [taskId]: `^waits for ${required}, which is already resolved as required$` },
      true,
    );
    expect((await w.statusOf(taskId)).state).toBe("pending");
    expect(await summaryOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
    await expectNoFaults(w);
  });

  it("keeps waiting for its other dependency if one that is resolved was not counted", async () => {
    const [done, open] = [await w.create(), await w.create()];
    const taskId = await w.create({ dependencies: [done, open] });
    await w.claim(done);
    await w.corrupt(sql`delete from task_dependencies where dependent = ${taskId} and required = ${done}`);
    await w.complete(done);
    await w.corrupt(sql`insert into task_dependencies values (${taskId}, ${done}, false, false)`);
    await expectFound(
      w,
      "dependents",
      { [taskId]: `^waits for ${done}, which is already resolved as required$` },
      true,
    );
    expect((await w.statusOf(taskId)).state).toBe("unscheduled");
    await w.claim(open);
    await w.complete(open);
    expect((await w.statusOf(taskId)).state).toBe("pending");
    await expectNoFaults(w);
  });

  it("with a wrong count of dependencies is recounted, and scheduled when the last one is resolved", async () => {
    const [one, other] = [await w.create(), await w.create()];
    const taskId = await w.create({ dependencies: [one, other] });
    await w.corrupt(sql`update tasks set unsatisfied = 5 where task_id = ${taskId}`);
    await expectFound(w, "dependents", { [taskId]: "^counts 5 unsatisfied dependencies but has 2$" }, true);
    for (const id of [one, other]) {
      expect((await w.statusOf(taskId)).state).toBe("unscheduled");
      await w.claim(id);
      await w.complete(id);
    }
    expect((await w.statusOf(taskId)).state).toBe("pending");
    await expectNoFaults(w);
  });

  it("without unsatisfied dependencies is scheduled, whether or not its count is right", async () => {
    const required = await w.create();
    const ids = [await w.create({ dependencies: [required] }), await w.create({ dependencies: [required] })];
    const [counted = "", miscounted = ""] = ids;
    await w.corrupt(sql`update task_dependencies set satisfied = true where required = ${required}`);
    await w.corrupt(sql`update tasks set unsatisfied = 0 where task_id = ${counted}`);
    await expectFound(
      w,
      "dependents",
      {
        [counted]: "^has no unsatisfied dependencies but was never scheduled$",
        [miscounted]: "^counts 1 unsatisfied dependencies but has 0$",
      },
      true,
    );
    for (const taskId of ids) {
      expect(await summaryOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
      expect((await w.statusOf(taskId)).runs).toHaveLength(1);
      const recorded = w.stack.records.filter((record) => record["taskId"] === taskId);
      expect(recorded.map(({ msg }) => msg)).toEqual(["task-defined", "task-pending"]);
    }
    await expectNoFaults(w);
  });

  it("that requires itself, or is past its deadline, is not a fault", async () => {
    const taskId = slugid();
    const { expires: _, ...definition } = await w.stack.client.queue.task({ taskId: await w.create() });
    await w.stack.client.queue.createTask(
      { taskId },
      { ...definition, dependencies: [taskId], taskGroupId: taskId },
    );
    const required = await w.create();
    await w.create({ dependencies: [required], deadline: new Date(w.clock.now() + 500).toISOString() });
    await w.clock.advance(1_000);
    await w.claim(required);
    await w.complete(required);
    await expectNoFaults(w);
    expect(await w.findings()).toEqual([]);
  });
});

describe("a task", () => {
  it("with missing runs or definition, or with too many unresolved runs, is reported", async () => {
    const [withoutRuns, withoutDefinition, withTwoRuns] = [
      await w.create(),
      await w.create(),
      await w.create(),
    ];
    await w.corrupt(sql`delete from runs where task_id = ${withoutRuns}`);
    await w.corrupt(sql`delete from task_definitions where task_id = ${withoutDefinition}`);
    await w.corrupt(sql`
      insert into runs (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline, quiet)
      select task_id, 1, 'pending', 'retry', now(), task_queue_id, priority, deadline, true
      from runs where task_id = ${withTwoRuns}`);
    await w.corrupt(sql`update tasks set run_count = 2 where task_id = ${withTwoRuns}`);
    await w.runPass();
    expect(
      Object.fromEntries((await w.findings("task-rows")).map((one) => [one.subject, one.detail])),
    ).toEqual({
      [withoutRuns]: "counts 1 runs but has 0",
      [withoutDefinition]: "has no definition",
      [withTwoRuns]: "has several unresolved runs",
    });
    for (const taskId of [withoutRuns, withoutDefinition, withTwoRuns]) {
      await w.db.run(sql`delete from runs where task_id = ${taskId}`);
      await w.db.run(sql`delete from tasks where task_id = ${taskId}`);
      await w.db.run(sql`delete from task_groups where task_group_id = ${taskId}`);
    }
    await expectNoFaults(w);
  });
});

describe("a group", () => {
  it("whose count is too high is recounted, and its resolution is published", async () => {
    const taskGroupId = await w.create();
    await w.corrupt(sql`update task_groups set unresolved = 2 where task_group_id = ${taskGroupId}`);
    await w.claim(taskGroupId);
    await w.complete(taskGroupId);
    const resolved = async () =>
      summarize(await queueEvents(w.db, { taskGroupId })).filter((kind) => kind.includes("group"));
    expect(await resolved()).toEqual([]);
    await expectFound(
      w,
      "group-count",
      { [taskGroupId]: "^counts 1 tasks that were never resolved but has 0$" },
      true,
    );
    expect(await resolved()).toEqual(["task-group-resolved"]);
    await expectNoFaults(w);
  });

  it("whose count is too low is recounted, with tasks that were rerun counted once", async () => {
    const taskGroupId = await w.create();
    await w.claim(taskGroupId);
    await w.complete(taskGroupId);
    await w.stack.client.queue.rerunTask({ taskId: taskGroupId });
    await w.create({ taskGroupId });
    await w.create({ taskGroupId, dependencies: [await w.create()] });
    await w.corrupt(sql`update task_groups set unresolved = 0 where task_group_id = ${taskGroupId}`);
    await expectFound(
      w,
      "group-count",
      { [taskGroupId]: "^counts 0 tasks that were never resolved but has 2$" },
      true,
    );
    await expectNoFaults(w);
  });
});

it("an artifact without its run is reported", async () => {
  const taskId = slugid();
  await w.corrupt(sql`
    insert into artifacts (task_id, run_id, name, storage_type, content_type, details, present, expires)
    values (${taskId}, 0, 'public/a b/c', 'reference', 'text/plain', '{}', true, '2100-01-01')`);
  await expectFound(
    w,
    "artifact-rows",
    { [`${taskId}/0/public/a b/c`]: "^belongs to a run that does not exist$" },
    false,
  );
  await w.db.run(sql`delete from artifacts where task_id = ${taskId}`);
  await expectNoFaults(w);
});
