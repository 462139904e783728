// Which runs have a failure report, and its content.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFakeQueue, type FakeQueue } from "../../../test/support/fake-queue.ts";
import { startTestWorker, type TestWorker } from "../../../test/support/worker.ts";
import { failureReportExtra, failureReportName } from "../failure-report.ts";

let queue: FakeQueue;
let worker: TestWorker;
beforeAll(async () => {
  queue = await startFakeQueue();
  worker = await startTestWorker(queue.rootUrl);
});
afterAll(async () => {
  await worker.end();
  await queue.close();
});

const name = "public/why.json";
const extra = failureReportExtra(name);
const shell = (...scripts: string[]) => ({
  command: scripts.map((script) => ["sh", "-c", script]),
  maxRunTime: 60,
});
const reportOf = (taskId: string): unknown => JSON.parse(queue.content(taskId, name));

describe("a task that requests a failure report", () => {
  test.each([
    [
      "exit codes",
      shell("exit 0", "exit 3", "exit 4"),
      [
        { exitCode: 0, signal: null },
        { exitCode: 3, signal: null },
      ],
      "exit status 3",
    ],
    [
      "signals",
      shell("kill -TERM $$"),
      [{ exitCode: 143, signal: null }],
      "exit status 143, as after SIGTERM",
    ],
    [
      "nulls for a command that was not started",
      { command: [["no-such-program"]], maxRunTime: 60 },
      [{ exitCode: null, signal: null }],
      'cannot start "no-such-program": there is no such program in the folders of PATH',
    ],
    [
      "nulls for a command that the worker aborted",
      { ...shell("exec sleep 600"), maxRunTime: 1 },
      [{ exitCode: null, signal: null }],
      "Task aborted: it ran longer than its maxRunTime of 1 second",
    ],
  ])("gets %s and the error of the log", async (_, payload, commands, message) => {
    const taskId = queue.submit(payload, { extra });
    expect(await queue.resolved(taskId)).toBe("failed");
    expect(reportOf(taskId)).toEqual({ commands, messages: [message] });
    expect(queue.artifact(taskId, name)?.request).toMatchObject({
      contentType: "application/json",
      expires: queue.status(taskId).expires,
    });
  });

  test("gets the errors of a payload that was refused", async () => {
    const taskId = queue.submit({ command: 3 }, { extra });
    expect(await queue.resolved(taskId)).toBe("malformed-payload");
    expect(reportOf(taskId)).toMatchObject({
      commands: [],
      messages: expect.arrayContaining(["- payload.command must be array"]),
    });
  });

  test("gets none if it completes", async () => {
    const taskId = queue.submit(shell("true"), { extra });
    expect(await queue.resolved(taskId)).toBe("completed");
    expect(queue.artifact(taskId, name)).toBeUndefined();
  });

  test("cannot have another artifact of that name", async () => {
    const payload = { ...shell("true"), artifacts: [{ type: "file", path: "a", name }] };
    const taskId = queue.submit(payload, { extra });
    expect(await queue.resolved(taskId)).toBe("malformed-payload");
    expect(reportOf(taskId)).toMatchObject({
      messages: [
        `payload.artifacts[0] has the name "${name}", which the worker writes itself; choose another one`,
      ],
    });
  });

  test("ends in the same way if the report cannot be saved", async () => {
    // One for the live log, one for the report.
    queue.inject("createArtifact", 400, 400);
    const taskId = queue.submit(shell("exit 3"), { extra });
    expect(await queue.resolved(taskId)).toBe("failed");
    expect(queue.artifact(taskId, name)).toBeUndefined();
    expect(queue.content(taskId, "public/logs/live_backing.log")).toContain("exit status 3");
  });
});

test.each([{}, { taskyard: null }, { taskyard: {} }, { taskyard: { failureReport: true } }])(
  "extra of %j requests no report",
  async (extra) => {
    expect(failureReportName({ extra })).toBeUndefined();
    const taskId = queue.submit(shell("exit 3"), { extra });
    expect(await queue.resolved(taskId)).toBe("failed");
    expect(queue.artifact(taskId, name)).toBeUndefined();
  },
);
