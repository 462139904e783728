// Servers and commands whose output cannot be written.
import { spawnSync } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { slugid } from "../../src/lib/slugid.ts";
import { testDatabase } from "../support/db.ts";
import { createTask, taskDefinition } from "../support/factories.ts";
import { preparedHome, startServe, startUp } from "../support/process.ts";
import { eventually } from "../support/until.ts";

test("a server whose log is closed stops in order, and its exit status is not 0", async () => {
  const home = await preparedHome();
  const server = await startUp({ home, env: { TASKYARD_LOG_LEVEL: "debug" } });
  server.closeOutput();
  // Each task is logged.
  await createTask(server.client);
  expect(await server.exitStatus()).toBe(141);
});

test("a server whose log nobody reads serves on, and stops within its time", async () => {
  const database = await testDatabase();
  onTestFinished(database.drop);
  const server = await startServe(database.url, { TASKYARD_LOG_LEVEL: "debug" });
  server.stallOutput();
  // Each task is logged, with more than a pipe holds.
  const tasks = Array.from({ length: 2_000 }, () => ({ taskId: slugid(), task: taskDefinition() }));
  await server.client.queue.createTasks({ tasks });
  await server.client.queue.ping();
  server.signal("SIGTERM");
  await eventually(() => expect(() => process.kill(server.pid, 0)).toThrow("ESRCH"));
  server.resumeOutput();
  expect(await server.exitStatus()).toBe(0);
});

test("an output on a full disk ends a command with a message, not with status 0", () => {
  const line = "taskyard.js --help > /dev/full";
  const { status, stderr } = spawnSync("sh", ["-c", `${JSON.stringify(process.execPath)} bin/${line}`]);
  expect(status).toBe(1);
  expect(String(stderr)).toBe(
    "error: the output cannot be written: ENOSPC: no space left on device, write\n",
  );
});
