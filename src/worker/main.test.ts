import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startFakeQueue } from "../../test/support/fake-queue.ts";
import type { FakeQueue } from "../../test/support/fake-queue.ts";
import { startTestWorker } from "../../test/support/worker.ts";
import type { TestWorker } from "../../test/support/worker.ts";

let queue: FakeQueue;
let worker: TestWorker | undefined;

beforeEach(async () => {
  queue = await startFakeQueue();
});
afterEach(async () => {
  await worker?.end();
  worker = undefined;
  await queue.close();
});

const shell = (script: string, more: object = {}) => ({
  command: [["sh", "-c", script]],
  maxRunTime: 60,
  ...more,
});

describe("a worker", () => {
  test("runs a task from claim to completion and saves its log", async () => {
    worker = await startTestWorker(queue.rootUrl);
    const taskId = queue.submit(shell("echo hello; echo trouble > /dev/stderr"));
    expect(await queue.resolved(taskId)).toBe("completed");
    expect(queue.content(taskId, "public/logs/live_backing.log")).toContain("hello\ntrouble\n");
  });
});
