// The worker with a real server, over HTTP and PostgreSQL: it must behave as it does with the fake queue.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TaskDefinitionRequest } from "../../src/api/queue/task.ts";
import { createTask } from "../support/factories.ts";
import { testStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { eventually } from "../support/until.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestWorker } from "../support/worker.ts";
import type { TestWorker } from "../support/worker.ts";

const taskQueueId = "test/queue";
let stack: Stack;
let worker: TestWorker | undefined;
beforeAll(async () => {
  stack = await testStack();
});
afterEach(async () => {
  await worker?.end();
  worker = undefined;
});
afterAll(async () => {
  await stack.stop();
});

async function startWorker(options: Parameters<typeof startTestWorker>[1] = {}): Promise<void> {
  worker = await startTestWorker(stack.rootUrl, { client: stack.client, taskQueueId, ...options });
}
const shell = (script: string, more: object = {}): Partial<TaskDefinitionRequest> => ({
  payload: { command: [["sh", "-c", script]], maxRunTime: 60, ...more },
});
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
/** Waits until the runs of a task have these states and reasons, each as `state/reason`. */
async function expectRuns(taskId: string, ...expected: string[]): Promise<void> {
  await eventually(async () => {
    const { runs } = await statusOf(taskId);
    expect(runs.map((run) => `${run.state}/${run.reasonResolved ?? "-"}`)).toEqual(expected);
  });
}
async function contentOf(taskId: string, name: string): Promise<string> {
  const signed = await stack.client.buildSignedUrl(
    stack.client.queue.getLatestArtifact.url({ taskId, name }),
  );
  const response = await fetch(signed);
  expect(response.status).toBe(200);
  return await response.text();
}

/** Waits until a task has a live log: it is created when the task starts, some time after the claim. */
const liveLogOf = (taskId: string): Promise<string> =>
  eventually(async () => {
    const found = await stack.client.queue.latestArtifact({ taskId, name: "public/logs/live.log" });
    return "url" in found ? found.url : expect.fail("no live log yet");
  });

describe("a worker with a real server", () => {
  test("runs a task and saves its log and artifacts", async () => {
    await startWorker();
    const artifacts = [
      { type: "file", path: "out.txt", name: "public/out.txt" },
      { type: "file", path: "none", name: "public/none", optional: true },
    ];
    const taskId = await createTask(stack.client, shell("echo hello; echo data > out.txt", { artifacts }));
    await expectRuns(taskId, "completed/completed");
    expect(await contentOf(taskId, "public/logs/live.log")).toContain("hello\n");
    expect(await contentOf(taskId, "public/logs/live_backing.log")).toContain("=== Task Finished ===");
    expect(await contentOf(taskId, "public/out.txt")).toBe("data\n");
    const list = await stack.client.queue.listLatestArtifacts({ taskId });
    expect(list.artifacts.map(({ name, storageType }) => `${name} ${storageType}`)).toEqual([
      "public/logs/live.log link",
      "public/logs/live_backing.log s3",
      "public/none error",
      "public/out.txt s3",
    ]);
  });

  test("serves the log while the task runs", async () => {
    await startWorker();
    const gate = join(await temporaryFolder(), "go");
    const script = `echo first; while [ ! -e ${gate} ]; do sleep 0.05; done; echo last`;
    const taskId = await createTask(stack.client, shell(script));
    const live = await liveLogOf(taskId);
    expect(live).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/log\//);
    const followed = await fetch(live);
    await writeFile(gate, "");
    const text = await followed.text();
    expect(text).toMatch(/first\n[^]*last\n[^]*=== Task Finished ===/);
  });

  test.each([
    ["fails", "exit 3", "failed/failed"],
    ["is malformed", { command: "ls" }, "exception/malformed-payload"],
  ])("resolves a task that %s", async (_, what, expected) => {
    await startWorker();
    const overrides = typeof what === "string" ? shell(what) : { payload: what };
    const taskId = await createTask(stack.client, overrides);
    await expectRuns(taskId, expected);
    expect(await contentOf(taskId, "public/logs/live_backing.log")).toContain("[taskcluster:error]");
  });

  test("causes a retry after an exit status that asks for one, and after its own shutdown", async () => {
    await startWorker();
    const again = await createTask(stack.client, {
      ...shell("exit 75", { onExitStatus: { retry: [75] } }),
      retries: 1,
    });
    await expectRuns(again, "exception/intermittent-task", "exception/intermittent-task");
    const taskId = await createTask(stack.client, shell("sleep 1000"));
    await eventually(async () => expect((await statusOf(taskId)).state).toBe("running"));
    await worker?.stop("the test stops it");
    await expectRuns(taskId, "exception/worker-shutdown", "pending/-");
    await stack.client.queue.cancelTask({ taskId });
  });

  test("aborts a canceled task when its event arrives, and saves its log", async () => {
    // Only an event can notify it within the time limit of the test.
    await startWorker({ cancelPollInterval: 3_600_000 });
    const taskId = await createTask(stack.client, shell("echo started; sleep 1000"));
    await liveLogOf(taskId);
    await stack.client.queue.cancelTask({ taskId });
    const text = await eventually(() => contentOf(taskId, "public/logs/live_backing.log"));
    expect(text).toContain("[taskcluster:error] The task was canceled.");
    await expectRuns(taskId, "exception/canceled");
  });
});

test("a claim of three seconds is kept by reclaims", async () => {
  const hasty = await testStack({ config: { queue: { claimTimeout: 3000 } } });
  const eager = await startTestWorker(hasty.rootUrl, { client: hasty.client, taskQueueId });
  const taskId = await createTask(hasty.client, shell("sleep 4"));
  await eventually(async () => {
    const { status } = await hasty.client.queue.status({ taskId });
    expect(status.runs.map(({ state }) => state)).toEqual(["completed"]);
  });
  await eager.end();
  await hasty.stop();
});
