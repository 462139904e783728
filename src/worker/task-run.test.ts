// What stops a run, in every stage, and its result: the contract of the state machine.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Type from "typebox";
import { afterEach, describe, expect, test } from "vitest";
import { startFakeQueue } from "../../test/support/fake-queue.ts";
import type { Call, FakeQueue, FakeQueueOptions } from "../../test/support/fake-queue.ts";
import { eventually } from "../../test/support/until.ts";
import { runFolders, startTestWorker } from "../../test/support/worker.ts";
import type { TestWorker } from "../../test/support/worker.ts";
import type { WorkerOptions } from "./main.ts";
import { definePlugin } from "./plugin.ts";
import type { Plugin, TaskPlugin } from "./plugin.ts";

let queue: FakeQueue;
let worker: TestWorker;
afterEach(async () => {
  await worker.end();
  await queue.close();
});

async function start(
  options: Partial<WorkerOptions> = {},
  queueOptions: FakeQueueOptions = {},
): Promise<void> {
  queue = await startFakeQueue(queueOptions);
  worker = await startTestWorker(queue.rootUrl, { shutdownLimit: 500, ...options });
}
const shell = (script: string, more: object = {}) => ({
  command: [["sh", "-c", script]],
  maxRunTime: 60,
  ...more,
});
const backingName = "public/logs/live_backing.log";
const reports: readonly Call[] = ["reportCompleted", "reportFailed", "reportException"];
const reported = () => queue.calls.map(({ call }) => call).filter((call) => reports.includes(call));
/** Resolves when the worker has removed the folders of all runs. */
const untilFoldersRemoved = () =>
  eventually(async () => expect(await runFolders(worker.workDir)).toEqual([]));

/** Returns the processes whose environment has the marker variable of a run. */
function processesOf(taskId: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(`TASKYARD_RUN=${taskId}`)
      );
    } catch {
      return false;
    }
  });
}

type Hook = "newTask" | "build" | "started" | "stopped" | "resolving";

/** A plugin with a hook that never returns. */
function stuckIn(hook: Hook): { plugin: Plugin; reached: Promise<void>; disposed: () => boolean } {
  let reach: () => void;
  let disposed = false;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const stuck = (): Promise<never> => {
    reach();
    return new Promise(() => undefined);
  };
  const hooks: TaskPlugin = { dispose: async () => void (disposed = true) };
  const plugin = definePlugin({
    name: "stuck",
    payloadSchema: Type.Object({}),
    newTask: async () => (hook === "newTask" ? await stuck() : { ...hooks, [hook]: stuck }),
  });
  return { plugin, reached, disposed: () => disposed };
}

describe("a run that is stopped from outside", () => {
  const hooks = ["newTask", "build", "started", "stopped", "resolving"] as const;

  test.each(hooks)("by a cancellation while it is in %s reports nothing and saves its log", async (hook) => {
    const { plugin, reached, disposed } = stuckIn(hook);
    await start({ plugins: [plugin] });
    const taskId = queue.submit(shell("sleep 0.1"));
    await reached;
    queue.end(taskId, "canceled");
    await queue.until(() => queue.count("status") > 0);
    // The log is still saved after a cancellation, with a long time limit. A worker that stops has a shorter one.
    if (hook === "resolving") await worker.stop("enough");
    await untilFoldersRemoved();
    expect(reported()).toEqual([]);
    expect(disposed()).toBe(hook !== "newTask");
    // Plugins are torn down in reverse order: the stuck one before the logs.
    if (hook === "resolving") return;
    expect(queue.content(taskId, backingName)).toContain("[taskcluster:error] The task was canceled.");
  });

  test.each(hooks)(
    "by the stop of the worker while it is in %s is resolved as worker-shutdown",
    async (hook) => {
      const { plugin, reached } = stuckIn(hook);
      await start({ plugins: [plugin] });
      const taskId = queue.submit(shell("sleep 0.1"));
      await reached;
      await worker.stop("the test stops it");
      // When the work is complete, a slow teardown does not cause a retry.
      expect(await queue.resolved(taskId)).toBe(hook === "resolving" ? "completed" : "worker-shutdown");
      expect(await runFolders(worker.workDir)).toEqual([]);
    },
  );

  test("by a cancellation ends immediately, with its processes", async () => {
    // Only an event can notify the worker within the time limit of the test.
    await start({ cancelPollInterval: 3_600_000 });
    const taskId = queue.submit(shell("setsid sleep 1000 & sleep 1000"));
    await eventually(() => expect(processesOf(taskId).length).toBeGreaterThan(1));
    queue.end(taskId, "canceled");
    await eventually(() => expect(processesOf(taskId)).toEqual([]));
    await untilFoldersRemoved();
    expect(reported()).toEqual([]);
    expect(queue.count("reclaimTask")).toBe(0);
  });

  test("by a cancellation ends even without an event stream", async () => {
    await start({ cancelPollInterval: 200 }, { events: false });
    const taskId = queue.submit(shell("sleep 1000"));
    await eventually(() => expect(processesOf(taskId).length).toBeGreaterThan(0));
    queue.end(taskId, "canceled");
    await untilFoldersRemoved();
    expect(reported()).toEqual([]);
  });

  test("by the loss of its claim uploads and reports nothing", async () => {
    await start({}, { claimMs: 1000, events: false });
    queue.inject("reclaimTask", ...Array<number>(50).fill(503));
    const taskId = queue.submit(shell("sleep 1000"));
    await queue.until(() => queue.count("reclaimTask") > 2);
    await untilFoldersRemoved();
    expect(reported()).toEqual([]);
    expect(queue.artifact(taskId, backingName)).toBeUndefined();
    expect(processesOf(taskId)).toEqual([]);
  });

  test("by its deadline reports nothing and saves its log", async () => {
    await start();
    const taskId = queue.submit(shell("sleep 1000"), { deadlineMs: 1000 });
    await queue.until(() => queue.count("upload") === 1);
    await untilFoldersRemoved();
    expect([reported(), processesOf(taskId)]).toEqual([[], []]);
    expect(queue.content(taskId, backingName)).toContain(
      "[taskcluster:error] The task's deadline has passed.",
    );
  });

  test("by a cancellation in the middle of an upload ends the upload", async () => {
    await start();
    queue.inject("upload", "hang");
    const payload = shell("echo data > file", {
      artifacts: [{ type: "file", path: "file", name: "public/file" }],
    });
    const taskId = queue.submit(payload);
    await queue.until(() => queue.count("upload") === 1);
    queue.end(taskId, "canceled");
    await untilFoldersRemoved();
    expect(reported()).toEqual([]);
    expect(queue.content(taskId, backingName)).toContain("The task was canceled.");
  });

  test("by a cancellation during its report keeps the queue's resolution", async () => {
    await start();
    queue.inject("reportCompleted", "hang");
    const taskId = queue.submit(shell("true"));
    await queue.until(() => queue.count("reportCompleted") === 1);
    queue.end(taskId, "canceled");
    await worker.stop("the test is over");
    expect(queue.status(taskId).runs[0]?.reasonResolved).toBe("canceled");
  });
});

describe("a run that is not stopped", () => {
  test("is reclaimed as often as a short claim requires, despite transient failures", async () => {
    await start({}, { claimMs: 3000, skewMs: -3_600_000 });
    queue.inject("reclaimTask", 503, "lose-reply");
    const taskId = queue.submit(shell("while [ ! -e ../../../go ]; do sleep 0.05; done"));
    // Two failures, their retry, and the next reclaim.
    await queue.until(() => queue.count("reclaimTask") === 4);
    writeFileSync(join(worker.workDir, "go"), "");
    expect(await queue.resolved(taskId)).toBe("completed");
    rmSync(join(worker.workDir, "go"));
  });

  test("may finish within the stop grace of its worker", async () => {
    await start({ stopGrace: 20_000 });
    const taskId = queue.submit(shell("sleep 0.5; echo finished"));
    await queue.until(() => queue.status(taskId).state === "running");
    await worker.stop("with grace");
    expect(await queue.resolved(taskId)).toBe("completed");
  });

  test("is ended by a worker that stops without grace, and its log explains why", async () => {
    await start({ shutdownLimit: 6000 });
    const taskId = queue.submit(shell("sleep 1000"));
    await eventually(() => expect(processesOf(taskId).length).toBeGreaterThan(0));
    const before = performance.now();
    await Promise.all([worker.stop("without grace"), worker.stop("a second call"), worker.done]);
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(await queue.resolved(taskId)).toBe("worker-shutdown");
    expect(queue.content(taskId, backingName)).toContain(
      "[taskcluster:error] The worker is shutting down. The queue runs the task again if it has retries left.",
    );
  });

  test("does not block the stop of a worker that cannot reach its queue", async () => {
    await start();
    const taskId = queue.submit(shell("sleep 1000"));
    await eventually(() => expect(processesOf(taskId).length).toBeGreaterThan(0));
    await queue.close();
    const before = performance.now();
    await worker.stop("without a queue");
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(processesOf(taskId)).toEqual([]);
    queue = await startFakeQueue();
  });
});

describe("a plugin that fails", () => {
  const broken = (hook: Hook, evenIfMalformed = false) =>
    definePlugin({
      name: "broken",
      payloadSchema: Type.Object({}),
      evenIfMalformed,
      newTask: async () => {
        const fail = (): Promise<never> => Promise.reject(new Error(`broken in ${hook}`));
        return hook === "newTask" ? await fail() : { [hook]: fail };
      },
    });

  test.each(["newTask", "build", "started", "stopped"] as const)(
    "in %s causes an internal error with an incident id from the worker's log",
    async (hook) => {
      await start({ plugins: [broken(hook)] });
      const taskId = queue.submit(shell("true"));
      expect(await queue.resolved(taskId)).toBe("internal-error");
      expect(queue.content(taskId, backingName)).toMatch(
        /\[taskcluster:error\] Internal error of the worker. Quote this id to its operator: incident [0-9a-f-]{36}\n/,
      );
      expect(worker.logged.join("\n")).toContain(`error: broken in ${hook}`);
    },
  );

  test("in resolving does not change the result", async () => {
    await start({ plugins: [broken("resolving")] });
    expect(await queue.resolved(queue.submit(shell("true")))).toBe("completed");
  });

  test("does not hide that the payload is malformed", async () => {
    await start({ plugins: [broken("stopped", true)] });
    expect(await queue.resolved(queue.submit({}))).toBe("malformed-payload");
  });

  test("by exceeding the hook limit is skipped", async () => {
    const { plugin } = stuckIn("build");
    await start({ plugins: [plugin], hookLimit: 2000 });
    const taskId = queue.submit(shell("true"));
    expect(await queue.resolved(taskId)).toBe("internal-error");
    expect(worker.logged.join("\n")).toContain("error: build took longer than");
  });
});
