// How soon a waiting worker receives a task.
import { around, percentile, type Measured } from "./measure.ts";
import { claim, complete, create, type Bench } from "./queue-calls.ts";
import { latencyText, milliseconds, type Row } from "./row.ts";
import { benchTask } from "./tasks.ts";

const row = (measured: string, m: Measured): Row => ({
  measure: `${measured}, p50 / p99`,
  goal: "≤ 5 / 20 ms",
  result: latencyText(m),
  figure: milliseconds(percentile(m.latencies, 0.5)),
});

/** Measures the time from createTask until a waiting worker has the task. */
export async function createToWaitingWorker(b: Bench): Promise<Row> {
  const queue = "bench/waiting";
  const latencies: number[] = [];
  const times = Math.ceil(300 * b.scale);
  const m = await around(b.serverPid, times, latencies, async () => {
    for (let i = 0; i < times; i++) {
      const waiting = claim(b, queue, 1);
      // The claim must arrive first. A reply to a later request shows that the server has read it.
      await b.client.send("GET", "/api/queue/v1/ping");
      const start = performance.now();
      await create(b, benchTask(queue));
      const claims = await waiting;
      latencies.push(performance.now() - start);
      for (const one of claims) await complete(b, one);
    }
  });
  return row("createTask → a waiting worker has it", m);
}

/** Measures the time from the report of a dependency until a waiting worker has the dependent. */
export async function dependencyToPending(b: Bench): Promise<Row> {
  const first = "bench/first";
  const second = "bench/second";
  const latencies: number[] = [];
  const times = Math.ceil(300 * b.scale);
  const m = await around(b.serverPid, times, latencies, async () => {
    for (let i = 0; i < times; i++) {
      const required = benchTask(first);
      await create(b, required);
      await create(b, benchTask(second, { dependencies: [required.taskId] }));
      const [held] = await claim(b, first, 1);
      const waiting = claim(b, second, 1);
      await b.client.send("GET", "/api/queue/v1/ping");
      const start = performance.now();
      if (held) await complete(b, held);
      const claims = await waiting;
      latencies.push(performance.now() - start);
      for (const one of claims) await complete(b, one);
    }
  });
  return row("dependency resolved → a waiting worker has the dependent", m);
}
