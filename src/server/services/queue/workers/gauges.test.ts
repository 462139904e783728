import { afterAll, beforeAll, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { createMetrics, declareMetrics } from "../../../core/metrics.ts";
import { sql } from "../../../core/sql.ts";
import { metrics as queueMetrics } from "../metrics.ts";
import { refreshGauges } from "./gauges.ts";

const clock = manualClock();
let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ clock, roles: ["api"] });
});
afterAll(() => stack.stop());

it("gauges count pending and claimed runs, and workers, of each queue", async () => {
  const { registry } = createMetrics();
  const metrics = declareMetrics(registry, queueMetrics);
  const runOnce = refreshGauges({ db: stack.database.db, clock, metrics });
  const add = () => createTask(stack.client, { taskQueueId: "a/b", retries: 0 }, clock.now());
  const claim = async (workerId: string, tasks: number) => {
    const claimed = await stack.client.queue.claimWork(
      { taskQueueId: "a/b" },
      { workerGroup: "g", workerId, tasks },
    );
    return claimed.tasks.map(({ status }) => status.taskId);
  };
  const figures = async () => {
    const lines = (await registry.metrics()).split("\n");
    return Object.fromEntries(
      lines.flatMap((line) => {
        const [, name, queue, value] = /^queue_(\w+)\{(.*)\} (\d+)$/.exec(line) ?? [];
        return name === undefined ? [] : [[`${name} ${queue}`, Number(value)]];
      }),
    );
  };
  const ab = 'provisionerId="a",workerType="b"';

  for (let n = 0; n < 6; n++) await add();
  const [first = ""] = await claim("w1", 2);
  await claim("w2", 1);
  for (const workerId of ["w3", "w4"])
    await stack.client.queue.declareWorker(
      { provisionerId: "a", workerType: "b", workerGroup: "g", workerId },
      { expires: new Date(clock.now() + 3_600_000).toISOString() },
    );
  await stack.client.queue.quarantineWorker(
    { provisionerId: "a", workerType: "b", workerGroup: "g", workerId: "w3" },
    { quarantineUntil: new Date(clock.now() + 7_200_000).toISOString() },
  );
  await runOnce();
  const before = {
    [`pending_tasks ${ab}`]: 3,
    [`claimed_tasks ${ab}`]: 3,
    [`workers_total ${ab}`]: 4,
    [`quarantined_workers ${ab}`]: 1,
    [`running_workers ${ab}`]: 2,
    [`idle_workers ${ab}`]: 2,
  };
  expect(await figures()).toEqual(before);

  await stack.client.queue.reportCompleted({ taskId: first, runId: 0 });
  await add();
  await runOnce();
  expect(await figures()).toEqual({ ...before, [`pending_tasks ${ab}`]: 4, [`claimed_tasks ${ab}`]: 2 });

  // After every deadline and claim, and then without any rows.
  await clock.advance(4_030_000);
  await runOnce();
  expect(await figures()).toEqual({
    ...before,
    [`pending_tasks ${ab}`]: 0,
    [`claimed_tasks ${ab}`]: 0,
    [`workers_total ${ab}`]: 3,
    [`running_workers ${ab}`]: 0,
    [`idle_workers ${ab}`]: 3,
  });
  for (const table of ["workers", "task_queues", "runs"])
    await stack.database.db.run({ text: `delete from ${table}`, values: [] });
  await clock.advance(30_000);
  await runOnce();
  expect(await figures()).toEqual({});
});

it("an iteration that cannot read the figures fails, and the next one reads them again", async () => {
  const { registry } = createMetrics();
  const metrics = declareMetrics(registry, queueMetrics);
  const runOnce = refreshGauges({ db: stack.database.db, clock, metrics });
  await stack.database.db.run(sql`alter table runs rename to runs_away`);
  await expect(runOnce()).rejects.toThrow('relation "runs" does not exist');
  await stack.database.db.run(sql`alter table runs_away rename to runs`);
  expect(await runOnce()).toEqual({ more: false });
});
