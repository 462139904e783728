import { expect, onTestFinished, test } from "vitest";
import Value from "typebox/value";
import { manualClock } from "../support/clock.ts";
import { createTask } from "../support/factories.ts";
import { sharedStack } from "../support/stack.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { eventually } from "../support/until.ts";
import { workerSettings } from "../../src/lib/worker-settings.ts";
import { allProcesses } from "../../src/worker/proc-stat.ts";
import { startLocalWorker } from "../../src/cli/local-worker.ts";

async function start() {
  const stack = await sharedStack();
  const workDir = await temporaryFolder();
  const settings: unknown = Value.Default(workerSettings, { workerId: "hanging", capacity: 1, workDir });
  Value.Assert(workerSettings, settings);
  const clock = manualClock();
  const logged: string[] = [];
  const write = (_fields: object, message: string): void => void logged.push(message);
  const worker = await startLocalWorker({
    rootUrl: stack.rootUrl,
    settings: { ...settings, taskQueueId: "test/hanging", shutdownLimit: 0 },
    credentials: () => stack.rootCredentials,
    env: process.env,
    clock,
    log: { debug: write, info: write, warn: write, error: write, isLevelEnabled: () => false },
  });
  onTestFinished(async () => void (await worker.stop()));
  return { stack, clock, logged };
}

/** Returns the living children of a process. */
const children = (parent: number): readonly number[] =>
  [...allProcesses()].filter((process) => process.alive && process.parent === parent).map(({ pid }) => pid);

test("a worker that sends no message for a minute is ended and started again", async () => {
  const before = new Set(children(process.pid));
  const { stack, clock, logged } = await start();
  const watchdog = children(process.pid).find((pid) => !before.has(pid)) ?? expect.fail("no watchdog");
  const [program = 0] = children(watchdog);
  // A message in between starts the minute again.
  await clock.advance(40_000);
  await createTask(stack.client, { taskQueueId: "test/hanging", payload: {} });
  await eventually(() => expect(logged).toContain("run resolved"));
  await clock.advance(40_000);
  expect(logged.join("\n")).not.toMatch(/hangs|ended/);

  process.kill(program, "SIGSTOP");
  await clock.advance(60_000);
  expect(logged.filter((text) => text.includes("hangs"))).toEqual(["the worker hangs; ending it"]);
  await eventually(() => expect(logged).toContain("the worker ended unexpectedly; restarting it"));
  await eventually(() => expect(logged).toContain("the worker was restarted"));
});
