// Commands whose output nobody reads any more, as in `taskyard run … | head -1`, and hang-ups of the terminal.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { createTask } from "../support/factories.ts";
import { preparedHome, startTaskyard, startUp } from "../support/process.ts";

test("a run whose output is closed cancels its task, and exits as SIGPIPE would end it", async () => {
  const home = await preparedHome();
  const { client } = await startUp({ home }, []);
  const loop = "while :; do echo line; sleep 0.05; done";
  const running = startTaskyard(["run", "--", "sh", "-c", loop], { home });
  const [, taskId = ""] = await running.waitForOutput(/^task (\S+) on local\/default$/m);
  await running.waitForOutput(/^line$/m);
  running.closeOutput();
  expect(await running.exitStatus()).toBe(141);
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
