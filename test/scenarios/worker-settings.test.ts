// The settings of a worker from the command line and the environment, down to the worker that runs with them.
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { userInfo } from "node:os";
import { relative } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { main } from "../../src/cli/main.ts";
import { settingOf } from "../../src/lib/setting.ts";
import { workerSettings, type WorkerSettings } from "../../src/lib/worker-settings.ts";
import { capturedIo, runCli } from "../support/captured-io.ts";
import { testDatabase } from "../support/db.ts";
import { testStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { makeTemporaryFolder } from "../support/temporary-folder.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "localhost");
  await once(server, "listening");
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
const port = await freePort();

// Only root can choose another user than its own.
const user = process.getuid?.() === 0 ? "daemon" : userInfo().username;

/** For each setting a value that is not the default, as text and as loaded. */
const given: { readonly [K in keyof Required<WorkerSettings>]: readonly [string, WorkerSettings[K]] } = {
  taskQueueId: ["other/linux", "other/linux"],
  workerGroup: ["berlin", "berlin"],
  workerId: ["w1", "w1"],
  capacity: ["3", 3],
  workDir: ["./tasks", "tasks"],
  taskUser: [user, user],
  taskVariables: ["JAVA_HOME,CC", "JAVA_HOME,CC"],
  taskNamespaces: ["off", "off"],
  liveLogHost: ["localhost", "localhost"],
  liveLogPort: [String(port), port],
  liveLogUrl: ["https://logs.example.com/w1/", "https://logs.example.com/w1"],
  stopGrace: ["2s", 2000],
  shutdownLimit: ["5s", 5000],
  maxTaskRunTime: ["2h", 7_200_000],
  maxLogSize: ["10MB", 10_000_000],
  maxArtifactSize: ["2GB", 2_000_000_000],
  maxPutSize: ["1GiB", 1_073_741_824],
  hookLimit: ["10m", 600_000],
  cancelPollInterval: ["1m", 60_000],
};
const loaded = Object.fromEntries(Object.entries(given).map(([key, [, value]]) => [key, value]));

const optionOf = (key: string): string => {
  const schema = Object.entries(workerSettings.properties).find(([name]) => name === key)?.[1];
  return `--${schema && settingOf(schema).option?.name}`;
};
const flags = Object.entries(given).flatMap(([key, [text]]) => [optionOf(key), text]);
const variables = Object.fromEntries(
  Object.entries(given).map(([key, [text]]) => [
    `TASKYARD_WORKER_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
    text,
  ]),
);

let stack: Stack;
beforeAll(async () => {
  stack = await testStack();
});
afterAll(() => stack.stop());

/** Runs a command until its worker waits for tasks. Returns the settings that the worker logs, with a relative folder. */
async function settingsOfWorker(
  line: readonly string[],
  env: Record<string, string | undefined>,
): Promise<Partial<WorkerSettings>> {
  const home = await makeTemporaryFolder();
  const io = capturedIo({ env: { TASKYARD_LOG_FORMAT: "json", TASKYARD_HOME: home, ...env }, cwd: home });
  const status = main([...line], io);
  await Promise.race([io.until('"worker waits for tasks"'), status]);
  io.interrupt("SIGTERM");
  expect(await status, io.err()).toBe(0);
  const record = io
    .err()
    .split("\n")
    .find((text) => text.includes('"worker waits for tasks"'));
  // The worker logs its settings, and the expectations of the tests check their values.
  const { settings } = JSON.parse(record ?? "{}") as { settings?: WorkerSettings };
  return { ...settings, workDir: relative(home, settings?.workDir ?? "") };
}

test("every setting has an option", () => {
  expect(Object.keys(workerSettings.properties)).toEqual(Object.keys(given));
  expect(new Set(Object.keys(given).map(optionOf)).size).toBe(Object.keys(given).length);
  expect(flags).not.toContain("--undefined");
});

describe.each(["worker", "up"] as const)("taskyard %s", (name) => {
  async function environment(): Promise<Record<string, string | undefined>> {
    if (name === "worker") return { ...stack.env };
    const database = await testDatabase();
    onTestFinished(database.drop);
    return { DATABASE_URL: database.url, TASKYARD_PORT: "0" };
  }

  test("passes every option to the worker", async () => {
    expect(await settingsOfWorker([name, ...flags], await environment())).toEqual(loaded);
  });

  test("passes every variable to the worker", async () => {
    expect(await settingsOfWorker([name], { ...(await environment()), ...variables })).toEqual(loaded);
  });
});

test("the worker of taskyard up has no larger artifacts than the store beside it", async () => {
  const database = await testDatabase();
  onTestFinished(database.drop);
  const env = { DATABASE_URL: database.url, TASKYARD_PORT: "0", TASKYARD_ARTIFACTS_MAX_SIZE: "1GB" };
  expect(await settingsOfWorker(["up", ...flags], env)).toEqual({ ...loaded, maxArtifactSize: 1e9 });
});

describe("a wrong value is refused", () => {
  test.each([
    ["liveLogPort", "65536", "must be at most 65535"],
    ["liveLogUrl", "logs.example.com", "must be a URL such as https://worker.example.com"],
    ["stopGrace", "5", "has no unit: write a duration such as"],
    ["stopGrace", "2d", "must be at most 1d"],
    ["shutdownLimit", "5x", 'has the unknown unit "x"'],
    ["maxTaskRunTime", "999ms", "must be at least 1s"],
    ["maxLogSize", "0B", "must be at least 1B"],
    ["maxArtifactSize", "large", "is not a size: write a whole number and a unit"],
    ["maxPutSize", "5gib", 'has the unknown unit "gib"'],
    ["hookLimit", "0s", "must be at least 1ms"],
    ["cancelPollInterval", "-1s", "is not a duration: write a whole number and a unit"],
    ["taskVariables", "A B", "must be names of variables with commas between them"],
    ["taskNamespaces", "on", "must be one of"],
    ["capacity", "0", "must be at least 1"],
  ])("%s %s", async (key, text, problem) => {
    // In one word, since a value may begin with a dash.
    const option = optionOf(key);
    for (const name of ["worker", "up"]) {
      const { status, out, err } = await runCli([name, `${option}=${text}`]);
      expect(err).toContain(`worker.${key} = "${text}"  (${option})\n    ${problem}`);
      expect({ status, out }).toEqual({ status: 1, out: "" });
    }
  });
});
