// Commands whose output nobody reads any more, as in `taskyard run … | head -1`, and hang-ups of the terminal.
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { slugid } from "../../src/lib/slugid.ts";
import { createTask, taskDefinition } from "../support/factories.ts";
import { preparedHome, startUp } from "../support/process.ts";
import { eventually } from "../support/until.ts";

test("a run whose reader ends cancels its task, says so, and exits as SIGPIPE would end it", async () => {
  const home = await preparedHome();
  const { client } = await startUp({ home }, []);
  const loop = "while :; do echo line; sleep 0.05; done";
  const run = `${JSON.stringify(process.execPath)} bin/taskyard.js run -- sh -c '${loop}'`;
  const env = { ...process.env, TASKYARD_HOME: home };
  const { stderr } = await promisify(execFile)("sh", ["-c", `(${run}; echo status $? >&2) | head -1`], {
    env,
  });
  const [, taskId = ""] =
    /^task (\S+) on local\/default\ncanceling \1; press Ctrl-C again to exit immediately\nstatus 141\n$/.exec(
      stderr,
    ) ?? expect.fail(stderr);
  const { status } = await client.queue.status({ taskId });
  expect(status.runs).toMatchObject([{ state: "exception", reasonResolved: "canceled" }]);
});

test("a server whose log is closed stops in order, and its exit status is not 0", async () => {
  const home = await preparedHome();
  const server = await startUp({ home, env: { TASKYARD_LOG_LEVEL: "debug" } });
  server.closeOutput();
  // Each task is logged.
  await createTask(server.client);
  expect(await server.exitStatus()).toBe(141);
});

test("a server whose log nobody reads serves on, and stops within its time", async () => {
  const home = await preparedHome();
  const server = await startUp({ home, env: { TASKYARD_LOG_LEVEL: "debug" } });
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

test("SIGHUP stops a server like SIGTERM", async () => {
  const server = await startUp({ home: await preparedHome() });
  server.signal("SIGHUP");
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
