// A server that is stopped under load finishes all requests in flight, and leaves nothing behind.
import { once } from "node:events";
import { connect } from "node:net";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { queueEvents, type Client } from "../../src/client/index.ts";
import { testDatabase } from "../support/db.ts";
import { createTask, taskDefinition } from "../support/factories.ts";
import { preparedHome, processesOf, startServe, startUp } from "../support/process.ts";
import { eventually } from "../support/until.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { whenSent } from "./requests-in-flight.ts";
import { readStates } from "./task-history.ts";

/** Locks a table, so that statements that write to it wait until it is unlocked. */
async function lockTable(url: string, table: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`begin; lock table ${table} in exclusive mode`);
  return {
    /** Resolves when `count` statements wait for the lock. */
    waiting: (count: number) =>
      eventually(async () => {
        const { rowCount } = await client.query("select from pg_locks where not granted");
        expect(rowCount).toBeGreaterThanOrEqual(count);
      }),
    unlock: () => client.query("commit"),
  };
}

const claimAt = ({ queue }: Client, taskQueueId: string) =>
  queue.claimWork({ taskQueueId }, { workerGroup: "group", workerId: "worker", tasks: 1 });

test("a stopping server replies to all requests that it accepted, including waiting claims, and exits", async () => {
  const database = await testDatabase();
  onTestFinished(database.drop);
  const { client, rootUrl, ...server } = await startServe(database.url, { TASKYARD_ACCESS: "results" });
  const bindings = encodeURIComponent(JSON.stringify({ bindings: [queueEvents.taskDefined()] }));
  const url = await client.buildSignedUrl(`${rootUrl}/api/events/v1/connect?bindings=${bindings}`);
  const stream = await fetch(url);
  const streamText = stream.text();

  let claims: Promise<unknown>[] = [];
  await whenSent(50, "/claim-work/", () => {
    claims = Array.from({ length: 50 }, () => claimAt(client, "test/empty"));
  });
  const claimed = await createTask(client);
  const runs = await lockTable(database.url, "runs");
  const claim = claimAt(client, "test/queue");
  await runs.waiting(1);
  const taskIds = Array.from({ length: 30 }, () => slugid());
  let creates: Promise<unknown>[] = [];
  await whenSent(30, "/task/", () => {
    creates = taskIds.map((taskId) => client.queue.createTask({ taskId }, taskDefinition()));
  });
  await runs.waiting(2);
  await client.queue.ping();

  // The tests below send the other signals.
  server.signal("SIGHUP");
  const start = performance.now();
  expect(await Promise.all(claims)).toEqual(claims.map(() => ({ tasks: [] })));
  await eventually(() => expect(client.queue.ping()).rejects.toThrow("ECONNREFUSED"));
  await runs.unlock();
  for (const created of await Promise.all(creates))
    expect(created).toMatchObject({ status: { state: "pending" } });
  const { tasks } = await claim;
  expect(await streamText).toMatch(/event: ready/);
  expect(await server.exitStatus(10_000), server.output()).toBe(0);
  expect(performance.now() - start).toBeLessThan(10_000);

  const states = await readStates(database.url);
  expect(taskIds.map((taskId) => states.get(taskId))).toEqual(taskIds.map(() => "pending"));
  // A run that is being claimed goes to its worker, or remains pending.
  expect(states.get(claimed)).toBe(tasks.length === 1 ? "running" : "pending");
});

test("a server that cannot stop in time logs what it waits for, and exits anyway", async () => {
  const database = await testDatabase();
  onTestFinished(database.drop);
  const { client, ...server } = await startServe(database.url, { TASKYARD_SERVER_STOP_TIMEOUT: "1s" });
  const { port } = new URL(server.rootUrl);
  const slow = connect(Number(port), "127.0.0.1").resume();
  const closed = once(slow, "close");
  slow.write(
    `PUT /api/queue/v1/task/${slugid()} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{`,
  );
  await once(slow, "ready");
  await client.queue.ping();
  server.signal("SIGTERM");
  expect(await server.exitStatus(10_000), server.output()).toBe(1);
  expect(server.output()).toContain("http did not stop in time");
  await closed;
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s stops `taskyard up` with its database, its worker and the running tasks",
  async (signal) => {
    const home = await preparedHome();
    const server = await startUp({ home }, []);
    const { client } = server;
    const sleep = { payload: { command: [["sh", "-c", "sleep 1001 & sleep 1002"]], maxRunTime: 600 } };
    await createTask(client, { taskQueueId: "local/default", ...sleep });
    const processes = () => processesOf(home).map(({ commandLine }) => commandLine);
    await eventually(() =>
      expect(processes().filter((commandLine) => commandLine.startsWith("sleep"))).toHaveLength(2),
    );
    expect(processes().some((commandLine) => commandLine.startsWith("postgres:"))).toBe(true);
    const waiting = claimAt(client, "test/empty");
    await createTask(client);

    server.signal(signal);
    expect(await waiting).toEqual({ tasks: [] });
    expect(await server.exitStatus(10_000), server.output()).toBe(0);
    expect(processes()).toEqual([]);
  },
);
