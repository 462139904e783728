// A worker is killed while it runs a task: the processes of the task end, and it runs again on another worker.
import { expect, test } from "vitest";
import { sql } from "../../src/server/core/sql.ts";
import { createTask } from "../support/factories.ts";
import { processesOf, startTaskyard, temporaryHome } from "../support/process.ts";
import { sharedStack } from "../support/stack.ts";
import { eventually } from "../support/until.ts";
import { readHistories } from "./task-history.ts";

// One of its processes leaves the process group of the others, as daemons do.
const endlessAtFirst = `[ "$RUN_ID" = 1 ] && exit 0; setsid sleep 1001 & sleep 1002 & wait`;

test("the processes of a task end when its worker is killed, and the task runs again on another worker", async () => {
  const { client, database, env, runLoop } = await sharedStack();
  const taskQueueId = "test/worker-killed";
  const startWorker = (home: string, workerId: string) =>
    startTaskyard(["worker", "--task-queue", taskQueueId, "--worker-id", workerId], { home, env });
  const [home, otherHome] = [await temporaryHome(), await temporaryHome()];
  const sleepers = () =>
    processesOf(home)
      .filter(({ commandLine }) => commandLine.startsWith("sleep 100"))
      .map(({ pid }) => pid);

  const first = startWorker(home, "first");
  const taskId = await createTask(client, {
    taskQueueId,
    payload: { command: [["sh", "-c", endlessAtFirst]], maxRunTime: 600 },
  });
  await eventually(() => expect(sleepers()).toHaveLength(2));
  const second = startWorker(otherHome, "second");
  await second.waitForOutput(/worker waits for tasks/);
  first.signal("SIGKILL");
  expect(await first.exitStatus()).toBe("SIGKILL");
  await eventually(() => expect(sleepers()).toEqual([]));
  await database.db.run(
    sql`update runs set taken_until = date_trunc('second', now()) - interval '1 second' where task_id = ${taskId}`,
  );
  await runLoop("claim-expiry");

  await eventually(async () => {
    const { status } = await client.queue.status({ taskId });
    expect(status.runs).toMatchObject([
      { workerId: "first", state: "exception", reasonResolved: "claim-expired" },
      { workerId: "second", state: "completed", reasonCreated: "retry" },
    ]);
  });
  const history = (await readHistories(database.url)).get(taskId) ?? [];
  expect(history.filter((event) => !event.startsWith("artifact-created"))).toEqual([
    "task-defined",
    "task-pending 0",
    "task-running 0",
    "task-exception 0",
    "task-pending 1",
    "task-running 1",
    "task-completed 1",
    "task-group-resolved",
  ]);

  // The guard of the killed worker, which has ended too.
  await eventually(() => expect(processesOf(home)).toEqual([]));
  second.signal("SIGTERM");
  expect(await second.exitStatus(), second.output()).toBe(0);
}, 180_000);
