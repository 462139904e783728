// Tasks with many dependents: how long until all are pending, and how long other callers wait in the meantime.
import { setTimeout } from "node:timers/promises";
import { percentile } from "./measure.ts";
import { claim, claimAll, complete, create, type Bench, type Claim } from "./queue-calls.ts";
import { figureText, milliseconds, type Row } from "./row.ts";
import { benchTask } from "./tasks.ts";

const ms = (value: number): string => figureText(milliseconds(value));

/** Creates a running task and `count` dependents in the same group. */
async function runningRoot(b: Bench, count: number): Promise<{ root: Claim; second: string; group: string }> {
  const [first, second] = ["bench/root", "bench/leaf"];
  const root = benchTask(first);
  await create(b, root);
  const more = { dependencies: [root.taskId], taskGroupId: root.taskId };
  const leaves = Array.from({ length: count }, () => benchTask(second, more));
  await b.client.send("POST", "/api/queue/v1/tasks/create", {
    tasks: leaves.map(({ taskId, definition }) => ({ taskId, task: definition })),
  });
  const [held] = await claim(b, first, 1);
  if (!held) throw new Error("the root task could not be claimed");
  return { root: held, second, group: root.taskId };
}

/** One task with a thousand dependents. */
export async function fanOut(b: Bench): Promise<Row> {
  const { root, second } = await runningRoot(b, 1000);
  const start = performance.now();
  await complete(b, root);
  const duration = performance.now() - start;
  return {
    measure: "root done → 1,000 dependents pending",
    goal: "≤ 150 ms",
    result: `${ms(duration)} (${await claimAll(b, second)} claimed afterwards)`,
    figure: milliseconds(duration),
  };
}

/** One task with ten thousand dependents, while other callers use the queue. */
export async function largeFanOut(b: Bench): Promise<Row> {
  const { root, second, group } = await runningRoot(b, 10_000);
  const neighbor = "bench/neighbor";
  // In the same group: these calls need the group's row, which the release of the dependents updates.
  const others = Array.from({ length: 200 }, () => benchTask(neighbor, { taskGroupId: group }));
  for (const other of others) await create(b, other);
  const waits: number[] = [];
  let released = false;
  const timed = async <T>(call: Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await call;
    waits.push(performance.now() - start);
    return result;
  };
  const lane = async (): Promise<void> => {
    while (!released) {
      const [held] = await timed(claim(b, neighbor, 1));
      await timed(create(b, benchTask(neighbor, { taskGroupId: group })));
      if (held) await timed(complete(b, held));
    }
  };
  const start = performance.now();
  const lanes = [lane(), lane()];
  await complete(b, root);
  let duration = 0;
  for (let tries = 0; !released && tries < 10_000; tries++) {
    const path = `/api/queue/v1/task-queues/${encodeURIComponent(second)}/counts`;
    const { pendingTasks } = JSON.parse(await b.client.send("GET", path)) as { pendingTasks: number };
    released = pendingTasks >= 10_000;
    duration = performance.now() - start;
    // Polling without a pause would itself be the load that is measured.
    await setTimeout(5);
  }
  await Promise.all(lanes);
  waits.sort((a, c) => a - c);
  const found = await claimAll(b, second);
  return {
    measure: "root done → 10,000 dependents pending; calls of others in the same group meanwhile, p50 / max",
    goal: "max ≤ 200 ms",
    result: `${ms(duration)} (${found} claimed afterwards); ${ms(percentile(waits, 0.5))} / ${ms(waits.at(-1) ?? 0)}`,
    figure: milliseconds(duration),
  };
}
