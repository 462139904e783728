// The commands for queues and workers, with a real server.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../../test/support/captured-io.ts";
import { createTask } from "../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../test/support/stack.ts";

let stack: Stack;
let env: Stack["env"];
beforeAll(async () => {
  stack = await testStack({ roles: ["api"], config: { queue: { claimWorkTimeout: 1 } } });
  ({ env } = stack);
});
afterAll(() => stack.stop());

const cli = (line: string) => runCli(line.split(" "), { env });
const table = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((row) => row.split(/ {2,}/));
const claim = (taskQueueId: string, workerId: string) =>
  stack.client.queue.claimWork({ taskQueueId }, { workerGroup: "g", workerId, tasks: 1 });

test("queue list shows the pending and claimed tasks of each queue", async () => {
  expect(await cli("queue list")).toEqual({
    status: 0,
    out: "",
    err: "no queues: none has tasks, and no worker has requested work recently\n",
  });
  for (let n = 0; n < 3; n++) await createTask(stack.client, { taskQueueId: "list/full" });
  await claim("list/full", "w");
  await claim("list/empty", "w");
  await createTask(stack.client, { taskQueueId: "list/unserved" });
  await claim("taskyard/source", "w");
  const { status, out, err } = await cli("queue list");
  expect({ status, err }).toEqual({ status: 0, err: "" });
  const ago = expect.stringMatching(/^\d+(ms|\.\ds) ago$/);
  expect(table(out)).toEqual([
    ["QUEUE", "PENDING", "CLAIMED", "WORKER SEEN"],
    ["list/empty", "0", "0", ago],
    ["list/full", "2", "1", ago],
    ["list/unserved", "1", "0", "never"],
  ]);
  const { out: text } = await cli("queue list --json");
  expect(JSON.parse(text)).toMatchObject({
    taskQueues: [
      { taskQueueId: "list/empty", pendingTasks: 0 },
      { taskQueueId: "list/full", pendingTasks: 2, claimedTasks: 1 },
      { taskQueueId: "list/unserved", pendingTasks: 1, claimedTasks: 0 },
    ],
  });
});

test("queue pending and claimed list the tasks of a queue, and how many more there are", async () => {
  const ids: string[] = [];
  for (let n = 0; n < 4; n++)
    ids.push(await createTask(stack.client, { taskQueueId: "q/tasks", priority: "high" }));
  await claim("q/tasks", "w");
  const duration = expect.stringMatching(/^\d+(ms|\.\ds)$/);
  const pending = await cli("queue pending q/tasks --limit 2");
  expect(table(pending.out)).toEqual([
    ["TASK", "RUN", "PRIORITY", "WAITING", "NAME"],
    [ids[1], "0", "high", duration, "a task"],
    [ids[2], "0", "high", duration, "a task"],
  ]);
  expect(pending.err).toBe("… and 1 more: use --limit or --all\n");
  expect((await cli("queue pending q/tasks")).err).toBe("");
  const claimed = await cli("queue claimed q/tasks");
  expect(table(claimed.out)).toEqual([
    ["TASK", "RUN", "WORKER", "CLAIMED FOR", "NAME"],
    [ids[0], "0", "g/w", duration, "a task"],
  ]);
  expect(JSON.parse((await cli("queue pending q/tasks --json")).out)).toMatchObject({
    pendingTasks: 3,
    tasks: [{ taskId: ids[1] }, { taskId: ids[2] }, { taskId: ids[3] }],
  });
  expect(JSON.parse((await cli("queue claimed q/tasks --json")).out)).toMatchObject({
    tasks: [{ taskId: ids[0] }],
  });
  await claim("q/tasks", "w");
  const first = await cli("queue claimed q/tasks --limit 1");
  expect(table(first.out)).toHaveLength(2);
  expect(first.err).toBe("… and possibly more: use --limit or --all\n");
  expect(table((await cli("queue claimed q/tasks --all")).out)).toHaveLength(3);
  expect(await cli("queue pending q/none")).toEqual({
    status: 0,
    out: "",
    err: "q/none has no pending tasks\n",
  });
  expect((await cli("queue claimed q/none")).err).toBe("q/none has no claimed tasks\n");
});

test("workers are quarantined and released", async () => {
  const taskId = await createTask(stack.client, { taskQueueId: "q/workers" });
  await claim("q/workers", "one");
  await claim("q/workers", "two");
  const ago = expect.stringMatching(/^\d+(ms|\.\ds) ago$/);
  expect(table((await cli("queue workers q/workers")).out)).toEqual([
    ["WORKER", "LAST ACTIVE", "LATEST TASK", "QUARANTINED UNTIL"],
    ["g/one", ago, `${taskId} run 0`, "-"],
    ["g/two", ago, "-", "-"],
  ]);
  expect((await cli("queue workers q/workers --quarantined")).err).toBe(
    "q/workers has no quarantined workers\n",
  );

  const put = await cli("queue quarantine q/workers g/two --for 2h --reason broken");
  expect(put.out).toMatch(/^g\/two is quarantined until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S{6}\n$/);
  const worker = () =>
    stack.client.queue.getWorker({
      provisionerId: "q",
      workerType: "workers",
      workerGroup: "g",
      workerId: "two",
    });
  const { quarantineUntil = "", quarantineDetails } = await worker();
  expect(Math.abs(Date.parse(quarantineUntil) - Date.now() - 7_200_000)).toBeLessThan(60_000);
  expect(quarantineDetails).toMatchObject([{ quarantineInfo: "broken" }]);
  const listed = table((await cli("queue workers q/workers --quarantined")).out);
  expect(listed.map(([name]) => name)).toEqual(["WORKER", "g/two"]);
  expect(listed[1]?.[3]).toMatch(/^\d{4}-/);
  expect(JSON.parse((await cli("queue workers q/workers --json")).out)).toMatchObject({ workers: [{}, {}] });

  expect((await cli("queue release q/workers g/two")).out).toBe("g/two is released from quarantine\n");
  expect((await worker()).quarantineUntil).toBe("1970-01-01T00:00:00.000Z");
  const again = await cli("queue quarantine q/workers g/two --json");
  const week =
    Date.parse((JSON.parse(again.out) as { quarantineUntil: string }).quarantineUntil) - Date.now();
  expect(Math.round(week / 86_400_000)).toBe(7);
  expect(JSON.parse((await cli("queue release q/workers g/two --json")).out)).toMatchObject({
    workerId: "two",
  });
  expect((await cli("queue workers q/none")).err).toBe("q/none has no known workers\n");
});

describe("invalid arguments", () => {
  test.each([
    [
      "queue pending local",
      "local: must be a task queue such as local/default, with the second part in lower case",
    ],
    ["queue workers a/B", "a/B: must be a task queue such as local/default"],
    ["queue pending a/b --limit 0", "--limit 0: must be a whole number, at least 1"],
    ["queue claimed a/b --limit x", "--limit x: must be a whole number, at least 1"],
    ["queue quarantine a/b host-1", "host-1: must be a worker as GROUP/ID, such as local/host-1"],
    ["queue quarantine a/b g/w --for 5x", '--for 5x has the unknown unit "x"'],
    ["queue quarantine a/b g/w --for 0s", "--for 0s is too short: the minimum is 1ms"],
    ["queue quarantine a/b g/w --for 9999999d", "--for 9999999d is too long: the maximum is 1000 years"],
    ["queue release a/b", "queue release needs WORKER"],
  ])("%s is a usage error", async (line, message) => {
    const { status, out, err } = await cli(line);
    expect(err).toContain(`error: ${message}`);
    expect({ status, out }).toEqual({ status: 2, out: "" });
  });

  test("an unknown worker is an error", async () => {
    const { status, err } = await cli("queue quarantine a/b g/nobody");
    expect(err).toContain(
      "Worker g/nobody of a/b does not exist: it has never requested work, or has expired.",
    );
    expect(status).toBe(1);
  });
});
