// Rates of single calls and of full cycles.
import { around, measure, percentile, type Measured } from "./measure.ts";
import { claim, complete, create, type Bench, type Claim } from "./queue-calls.ts";
import { figureText, milliseconds, rate, type Row } from "./row.ts";
import { benchTask } from "./tasks.ts";

const cpu = (m: Measured): NonNullable<Row["cpu"]> => ({ ...m.cpu, calls: m.calls });

/** A row whose result is its rate; `more` is added to the result. */
const rateRow = (measured: string, goal: string, m: Measured, more = ""): Row => ({
  measure: measured,
  goal,
  result: figureText(rate(m)) + more,
  figure: rate(m),
  cpu: cpu(m),
});

export async function createConcurrently(b: Bench, queue: string): Promise<Row> {
  const tasks = Array.from({ length: Math.ceil(8000 * b.scale) }, () => benchTask(queue));
  const m = await measure(b.serverPid, tasks.length, 64, (i) => create(b, tasks[i] ?? benchTask(queue)));
  return rateRow("createTask, 64 concurrent", "≥ 5,000/s", m);
}

export async function createOneByOne(b: Bench): Promise<Row> {
  const m = await measure(b.serverPid, Math.ceil(1000 * b.scale), 1, () =>
    create(b, benchTask("bench/single")),
  );
  const p50 = figureText(milliseconds(percentile(m.latencies, 0.5)));
  return rateRow("createTask, one at a time", "≥ 900/s", m, `, p50 ${p50}`);
}

/**
 * Claims the tasks that `createConcurrently` left in the queue, half of them with one task per call, the others with
 * 32, and completes all of them.
 */
export async function claimAndComplete(b: Bench, queue: string): Promise<Row[]> {
  const held: Claim[] = [];
  const half = Math.ceil(4000 * b.scale);
  const single = await measure(b.serverPid, half, 32, async () => held.push(...(await claim(b, queue, 1))));
  const calls = Math.floor(half / 32);
  const many = await measure(b.serverPid, calls, 8, async () => held.push(...(await claim(b, queue, 32))));
  const manyTasks = { ...many, calls: calls * 32 };
  const reports = await measure(b.serverPid, held.length, 32, (i) => {
    const one = held[i];
    return one ? complete(b, one) : Promise.resolve();
  });
  return [
    rateRow("claimWork, 1 task per call, 32 concurrent", "≥ 3,000/s", single),
    {
      measure: "claimWork, 32 tasks per call, 8 concurrent",
      goal: "≥ 10,000 tasks/s",
      result: figureText(rate(manyTasks, " tasks/s")),
      figure: rate(manyTasks, " tasks/s"),
      cpu: cpu(manyTasks),
    },
    rateRow("reportCompleted, 32 concurrent", "≥ 3,500/s", reports),
  ];
}

export async function statusReads(b: Bench): Promise<Row> {
  const tasks = Array.from({ length: 200 }, () => benchTask("bench/status"));
  for (const task of tasks) await create(b, task);
  const m = await measure(b.serverPid, Math.ceil(15_000 * b.scale), 32, (i) =>
    b.client.send("GET", `/api/queue/v1/task/${tasks[i % tasks.length]?.taskId}/status`),
  );
  return rateRow("GET status, 32 concurrent", "≥ 8,000/s", m);
}

/** Runs producers and workers concurrently; every task must be claimed and completed. */
export async function fullCycles(b: Bench): Promise<Row> {
  const queue = "bench/cycle";
  const total = Math.ceil(8000 * b.scale);
  const latencies: number[] = [];
  const createdAt = new Map<string, number>();
  let created = 0;
  let completed = 0;
  const producer = async (): Promise<void> => {
    while (created++ < total) {
      const task = benchTask(queue);
      createdAt.set(task.taskId, performance.now());
      await create(b, task);
    }
  };
  const consumer = async (): Promise<void> => {
    while (completed < total) {
      for (const one of await claim(b, queue, 1)) {
        latencies.push(performance.now() - (createdAt.get(one.taskId) ?? 0));
        await complete(b, one);
        // Extra tasks end the claims that are still waiting.
        if (++completed === total)
          await Promise.all(Array.from({ length: 16 }, () => create(b, benchTask(queue))));
      }
    }
  };
  const m = await around(b.serverPid, total, latencies, () =>
    Promise.all([...Array.from({ length: 16 }, producer), ...Array.from({ length: 16 }, consumer)]),
  );
  const share = completed >= total ? "all" : `${completed} of ${total}`;
  return rateRow(
    "full cycles, 16 producers + 16 workers",
    "≥ 1,500/s, every task handed out",
    m,
    `, ${share} handed out`,
  );
}
