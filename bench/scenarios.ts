// What is measured: the table of figures to beat, row by row.
import { setTimeout } from "node:timers/promises";
import { around, measure, percentile, type Measured } from "./measure.ts";
import type { Credentials, LoadClient } from "./client.ts";
import { benchTask, type BenchTask } from "./tasks.ts";

export interface Bench {
  readonly client: LoadClient;
  readonly serverPid: number;
  /** Makes runs shorter, for a try. */
  readonly scale: number;
}

export interface Row {
  readonly measure: string;
  readonly goal: string;
  readonly result: string;
  /** CPU per call in µs: Node, PostgreSQL, load. */
  readonly cpu?: Measured["cpu"] & { readonly calls: number };
}

interface Claim {
  readonly taskId: string;
  readonly runId: number;
  readonly credentials: Credentials;
}

const worker = { workerGroup: "bench", workerId: "load" };

const create = (b: Bench, task: BenchTask): Promise<string> =>
  b.client.send("PUT", `/api/queue/v1/task/${task.taskId}`, task.definition);

async function claim(b: Bench, queue: string, tasks: number): Promise<Claim[]> {
  const path = `/api/queue/v1/claim-work/${encodeURIComponent(queue)}`;
  const reply = JSON.parse(await b.client.send("POST", path, { ...worker, tasks })) as {
    tasks: { status: { taskId: string }; runId: number; credentials: Credentials }[];
  };
  return reply.tasks.map((t) => ({ taskId: t.status.taskId, runId: t.runId, credentials: t.credentials }));
}

const complete = (b: Bench, { taskId, runId, credentials }: Claim): Promise<string> =>
  b.client.send("POST", `/api/queue/v1/task/${taskId}/runs/${runId}/completed`, undefined, credentials);

const rate = (m: Measured, unit = "/s"): string =>
  `${Math.round(m.calls / m.seconds).toLocaleString("en")}${unit}`;
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const p50p99 = (m: Measured): string =>
  `${ms(percentile(m.latencies, 0.5))} / ${ms(percentile(m.latencies, 0.99))}`;
const cpu = (m: Measured): NonNullable<Row["cpu"]> => ({ ...m.cpu, calls: m.calls });

/** What runs for days is compiled: a round of most, unmeasured, before the first that counts. */
export async function warmUp(b: Bench): Promise<void> {
  await fullCycles(b);
  await statusReads(b);
}

export async function createAtOnce(b: Bench, queue: string): Promise<Row> {
  const tasks = Array.from({ length: Math.ceil(8000 * b.scale) }, () => benchTask(queue));
  const m = await measure(b.serverPid, tasks.length, 64, (i) => create(b, tasks[i] ?? benchTask(queue)));
  return { measure: "createTask, 64 at once", goal: "≥ 5,000/s", result: rate(m), cpu: cpu(m) };
}

export async function createOneByOne(b: Bench): Promise<Row> {
  const m = await measure(b.serverPid, Math.ceil(1000 * b.scale), 1, () =>
    create(b, benchTask("bench/single")),
  );
  return {
    measure: "createTask, one at a time",
    goal: "≥ 900/s",
    result: `${rate(m)}, p50 ${ms(percentile(m.latencies, 0.5))}`,
    cpu: cpu(m),
  };
}

/** Claims what `createAtOnce` left, first one by one, then many at once, and completes all of it. */
export async function claimAndComplete(b: Bench, queue: string): Promise<Row[]> {
  const held: Claim[] = [];
  const half = Math.ceil(4000 * b.scale);
  const single = await measure(b.serverPid, half, 32, async () => held.push(...(await claim(b, queue, 1))));
  const calls = Math.floor(half / 32);
  const many = await measure(b.serverPid, calls, 8, async () => held.push(...(await claim(b, queue, 32))));
  const reports = await measure(b.serverPid, held.length, 32, (i) => {
    const one = held[i];
    return one ? complete(b, one) : Promise.resolve();
  });
  return [
    {
      measure: "claimWork, 1 task a call, 32 at once",
      goal: "≥ 3,000/s",
      result: rate(single),
      cpu: cpu(single),
    },
    {
      measure: "claimWork, 32 tasks a call, 8 at once",
      goal: "≥ 10,000 tasks/s",
      result: `${Math.round((calls * 32) / many.seconds).toLocaleString("en")} tasks/s`,
      cpu: cpu({ ...many, calls: calls * 32 }),
    },
    { measure: "reportCompleted, 32 at once", goal: "≥ 3,500/s", result: rate(reports), cpu: cpu(reports) },
  ];
}

export async function statusReads(b: Bench): Promise<Row> {
  const tasks = Array.from({ length: 200 }, () => benchTask("bench/status"));
  for (const task of tasks) await create(b, task);
  const m = await measure(b.serverPid, Math.ceil(15_000 * b.scale), 32, (i) =>
    b.client.send("GET", `/api/queue/v1/task/${tasks[i % tasks.length]?.taskId}/status`),
  );
  return { measure: "GET status, 32 at once", goal: "≥ 8,000/s", result: rate(m), cpu: cpu(m) };
}

/** Producers and workers together; every task must be handed out and completed. */
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
        // The workers that still wait are sent home by tasks made for nothing else.
        if (++completed === total)
          await Promise.all(Array.from({ length: 16 }, () => create(b, benchTask(queue))));
      }
    }
  };
  const m = await around(b.serverPid, total, latencies, () =>
    Promise.all([...Array.from({ length: 16 }, producer), ...Array.from({ length: 16 }, consumer)]),
  );
  return {
    measure: "full cycles, 16 producers + 16 workers",
    goal: "≥ 1,500/s, every task handed out",
    result: `${rate(m)}, ${completed >= total ? "all" : `${completed} of ${total}`} handed out`,
    cpu: cpu(m),
  };
}

/** A worker waits; how long until it has a task that is created now? */
export async function createToWaitingWorker(b: Bench): Promise<Row> {
  const queue = "bench/waiting";
  const latencies: number[] = [];
  const rounds = Math.ceil(300 * b.scale);
  const m = await around(b.serverPid, rounds, latencies, async () => {
    for (let i = 0; i < rounds; i++) {
      const waiting = claim(b, queue, 1);
      // The claim has to be there first: a request that the server answers shows that it was read.
      await b.client.send("GET", "/api/queue/v1/ping");
      const start = performance.now();
      await create(b, benchTask(queue));
      const claims = await waiting;
      latencies.push(performance.now() - start);
      for (const one of claims) await complete(b, one);
    }
  });
  return {
    measure: "createTask → a waiting worker has it, p50 / p99",
    goal: "≤ 5 / 20 ms",
    result: p50p99(m),
  };
}

/** A dependency is resolved; how long until a waiting worker has the dependent? */
export async function dependencyToPending(b: Bench): Promise<Row> {
  const first = "bench/first";
  const second = "bench/second";
  const latencies: number[] = [];
  const rounds = Math.ceil(300 * b.scale);
  const m = await around(b.serverPid, rounds, latencies, async () => {
    for (let i = 0; i < rounds; i++) {
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
  return {
    measure: "dependency resolved → a waiting worker has the dependent, p50 / p99",
    goal: "≤ 5 / 20 ms",
    result: p50p99(m),
  };
}

/** A task that is running, and `count` that wait for it in the same group. */
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
  if (!held) throw new Error("there was no root to claim");
  return { root: held, second, group: root.taskId };
}

/** Claims all that is pending in a queue; answers how much. */
async function claimAll(b: Bench, queue: string): Promise<number> {
  let found = 0;
  for (let more = true; more;) {
    const claims = await claim(b, queue, 32);
    found += claims.length;
    more = claims.length === 32;
  }
  return found;
}

/** One task, a thousand that wait for it. */
export async function fanOut(b: Bench): Promise<Row> {
  const { root, second } = await runningRoot(b, 1000);
  const start = performance.now();
  await complete(b, root);
  const took = performance.now() - start;
  return {
    measure: "root done → 1,000 dependents pending",
    goal: "≤ 150 ms",
    result: `${ms(took)} (${await claimAll(b, second)} claimed after)`,
  };
}

/** One task, ten thousand that wait for it, and others who want something of the queue meanwhile. */
export async function largeFanOut(b: Bench): Promise<Row> {
  const { root, second, group } = await runningRoot(b, 10_000);
  const neighbour = "bench/neighbour";
  // Of the same group: they need the row that the release of the dependents counts on.
  const others = Array.from({ length: 200 }, () => benchTask(neighbour, { taskGroupId: group }));
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
      const [held] = await timed(claim(b, neighbour, 1));
      await timed(create(b, benchTask(neighbour, { taskGroupId: group })));
      if (held) await timed(complete(b, held));
    }
  };
  const start = performance.now();
  const lanes = [lane(), lane()];
  await complete(b, root);
  let took = 0;
  for (let tries = 0; !released && tries < 10_000; tries++) {
    const path = `/api/queue/v1/task-queues/${encodeURIComponent(second)}/counts`;
    const { pendingTasks } = JSON.parse(await b.client.send("GET", path)) as { pendingTasks: number };
    released = pendingTasks >= 10_000;
    took = performance.now() - start;
    // Asking without a pause would be the load that is measured.
    await setTimeout(5);
  }
  await Promise.all(lanes);
  waits.sort((a, c) => a - c);
  const found = await claimAll(b, second);
  return {
    measure: "root done → 10,000 dependents pending; a call of others in the same group meanwhile, p50 / max",
    goal: "max ≤ 200 ms",
    result: `${ms(took)} (${found} claimed after); ${ms(percentile(waits, 0.5))} / ${ms(waits.at(-1) ?? 0)}`,
  };
}
