// How tasks end on a worker, with their logs and artifacts. Over HTTP, with the fake queue.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startFakeQueue } from "../../test/support/fake-queue.ts";
import type { FakeQueue } from "../../test/support/fake-queue.ts";
import { onlyWithMounts } from "../../test/support/only-if.ts";
import { makeTemporaryFolder } from "../../test/support/temporary-folder.ts";
import { eventually } from "../../test/support/until.ts";
import { runFolders, sharedFolder, startTestWorker } from "../../test/support/worker.ts";
import type { TestWorker } from "../../test/support/worker.ts";
import type { WorkerOptions } from "./main.ts";
import { allProcesses } from "./proc-stat.ts";

// Shared by all tests that need no other options.
let queue: FakeQueue;
let worker: TestWorker;
const liveName = "public/logs/live.log";
const backingName = "public/logs/live_backing.log";

beforeAll(async () => {
  queue = await startFakeQueue();
  worker = await startTestWorker(queue.rootUrl);
});
afterAll(async () => {
  await worker.end();
  await queue.close();
});

const shell = (script: string, more: object = {}) => ({
  command: [["sh", "-c", script]],
  maxRunTime: 60,
  ...more,
});
const logOf = (taskId: string, from = queue): string => from.content(taskId, backingName);

/** Runs one task. Returns its id and the reason of its resolution. */
async function run(payload: unknown, on = queue): Promise<[taskId: string, reason: string]> {
  const taskId = on.submit(payload);
  return [taskId, await on.resolved(taskId)];
}

/** Starts a worker with other options on its own queue, for the rest of a test. */
async function another(options: Partial<WorkerOptions>): Promise<FakeQueue> {
  const otherQueue = await startFakeQueue();
  const otherWorker = await startTestWorker(otherQueue.rootUrl, options);
  onTestFinished(async () => {
    await otherWorker.end();
    await otherQueue.close();
  });
  return otherQueue;
}

/** Waits for the live log of a running task, and returns its URL. */
async function liveUrl(taskId: string): Promise<string> {
  await queue.until(() => queue.artifact(taskId, liveName) !== undefined);
  const request = queue.artifact(taskId, liveName)?.request;
  return request?.storageType === "reference" ? request.url : "";
}

describe("a task", () => {
  test("that succeeds is completed, and its folder is removed", async () => {
    const [taskId, reason] = await run(shell("echo hello; pwd"));
    expect(reason).toBe("completed");
    expect(logOf(taskId)).toContain(`hello\n${worker.workDir}/tasks/task_${taskId}_0/work\n`);
    await eventually(async () => expect(await runFolders(worker.workDir)).toEqual([]));
    expect(await readdir(join(worker.workDir, "claims"))).toEqual([]);
  });

  test("has a log in the format of log viewers", async () => {
    const [taskId] = await run(shell("echo hello; exit 3"));
    const lines = logOf(taskId)
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>")
      .replace(/(Time|Duration): \S+/g, "$1: *")
      .split("\n");
    expect(lines[0]).toBe("[taskcluster <time>] Worker Type (test-provisioner/test-worker) settings:");
    expect(
      JSON.parse(
        lines
          .slice(1, 10)
          .map((line) => line.slice("[taskcluster <time>]".length))
          .join(""),
      ),
    ).toMatchObject({
      "taskyard-worker": { engine: "native", capacity: 1 },
    });
    expect(lines.slice(10)).toEqual([
      `[taskcluster <time>] Task ID: ${taskId}`,
      "[taskcluster <time>] === Task Starting ===",
      "[taskcluster <time>] Executing command 0: sh -c 'echo hello; exit 3'",
      "hello",
      "[taskcluster <time>]    Exit Code: 3",
      "[taskcluster <time>]    User Time: *",
      "[taskcluster <time>]  Kernel Time: *",
      "[taskcluster <time>]    Wall Time: *",
      "[taskcluster <time>]       Result: FAILED",
      "[taskcluster <time>] === Task Finished ===",
      "[taskcluster <time>] Task Duration: *",
      "[taskcluster:error] exit status 3",
      "",
    ]);
  });

  test.each([
    ["exits with another code", "exit 3", "failed", "exit status 3"],
    ["is ended by a signal", "kill -KILL $$", "failed", "exit status 137, as after SIGKILL"],
    ["exits with a code for a retry", "exit 75", "intermittent-task", "exit status 75, which"],
  ])("that %s is resolved accordingly", async (_, script, expected, message) => {
    const [taskId, reason] = await run(shell(script, { onExitStatus: { retry: [75], purgeCaches: [3] } }));
    expect(reason).toBe(expected);
    expect(logOf(taskId)).toContain(`[taskcluster:error] ${message}`);
  });

  test.each([
    [3, {}, true],
    [5, {}, false],
    [3, { onExitStatus: { retry: [7] } }, false],
  ])("that fails with retries %j and %j learns what they are for: %j", async (retries, more, explained) => {
    const taskId = queue.submit(shell("exit 9", more), { retries });
    expect(await queue.resolved(taskId)).toBe("failed");
    expect(logOf(taskId).includes("set payload.onExitStatus.retry to [9].")).toBe(explained);
  });

  test("whose program does not exist fails", async () => {
    const [taskId, reason] = await run({ command: [["no-such-program"]], maxRunTime: 5 });
    expect(reason).toBe("failed");
    expect(logOf(taskId)).toContain('[taskcluster:error] cannot start "no-such-program"');
  });

  test("that takes longer than its maxRunTime fails, and its artifacts are saved", async () => {
    const [taskId, reason] = await run({
      ...shell("echo data > file; sleep 1000"),
      maxRunTime: 1,
      artifacts: [{ type: "file", path: "file", name: "public/file" }],
    });
    expect(reason).toBe("failed");
    expect(queue.content(taskId, "public/file")).toBe("data\n");
    expect(logOf(taskId)).toMatch(
      /\[taskcluster:error\] Aborting task\.\.\.\n\[taskcluster \S+\] Command ABORTED after \d/,
    );
    expect(logOf(taskId)).toContain("Task aborted: it ran longer than its maxRunTime of 1 second");
  });

  test("with endless output fails", async () => {
    const strict = await another({ maxLogSize: 1_000_000 });
    const [taskId, reason] = await run(shell("yes"), strict);
    expect(reason).toBe("failed");
    expect(logOf(taskId, strict).length).toBeGreaterThan(1_000_000);
    expect(logOf(taskId, strict)).toContain(
      "[taskcluster:error] Task aborted: its log grew beyond the 1000000 bytes that this worker allows",
    );
  });

  test("with a maxRunTime above the limit of the worker is malformed", async () => {
    const strict = await another({ maxTaskRunTime: 90_500 });
    const [taskId, reason] = await run(shell("true", { maxRunTime: 91 }), strict);
    expect(reason).toBe("malformed-payload");
    expect(logOf(taskId, strict)).toContain(
      "payload.maxRunTime is 91, but this worker allows at most 90 seconds",
    );
    expect((await run(shell("true", { maxRunTime: 90 }), strict))[1]).toBe("completed");
  });

  test("gets its environment variables", async () => {
    const [taskId] = await run(
      shell('echo "$GREETING from $TASK_ID"', { env: { GREETING: "hello", TASK_ID: "me" } }),
    );
    expect(logOf(taskId)).toContain(`hello from ${taskId}\n`);
  });
});

describe("a malformed payload", () => {
  test("is explained in a saved log", async () => {
    const [taskId, reason] = await run({ command: "ls", maxRunTime: 5, frobnicate: 1 });
    expect(reason).toBe("malformed-payload");
    const log = logOf(taskId);
    expect(log).toContain("] {\n");
    expect(log).toContain('"title": "Commands to run"');
    expect(log).toContain(
      "[taskcluster:error] TASK FAIL since the task payload is invalid. See errors:\n" +
        '[taskcluster:error] - payload has the unknown property "frobnicate"\n' +
        "[taskcluster:error] - payload.command must be array\n",
    );
  });

  test.each([
    [
      "a feature",
      { features: { taskclusterProxy: true } },
      "payload.features.taskclusterProxy is not supported by this worker yet",
    ],
    [
      "mounts",
      { mounts: [{ directory: "x", cacheName: "y" }] },
      "payload.mounts[0] is a cache (cacheName), which is not supported yet",
    ],
    [
      "a path outside of its folder",
      { artifacts: [{ type: "file", path: "../x", optional: true }] },
      'payload.artifacts[0].path is "../x", which leads out of the task',
    ],
    ["groups", { osGroups: ["docker"] }, "payload.osGroups is not supported by this worker yet"],
    [
      "too much time",
      { maxRunTime: 100_000 },
      "payload.maxRunTime is 100000, but this worker allows at most 86400 seconds",
    ],
    ["an impossible variable", { env: { "A=B": "c" } }, 'payload.env has the name "A=B"'],
    [
      "the worker's own artifact",
      { artifacts: [{ type: "file", path: "x", name: backingName }] },
      `payload.artifacts[0] has the name "${backingName}", which the worker writes itself`,
    ],
    [
      "one name for two files",
      {
        artifacts: [
          { type: "file", path: "a", name: "x" },
          { type: "file", path: "b", name: "x" },
        ],
      },
      'payload.artifacts[1] has the same name "x" as another file',
    ],
    [
      "an artifact that outlives the task",
      { artifacts: [{ type: "file", path: "a", expires: "2099-01-01T00:00:00Z" }] },
      "payload.artifacts[0].expires is 2099-01-01T00:00:00Z; it must lie between",
    ],
  ])("is one with %s", async (_, more, message) => {
    const [taskId, reason] = await run(shell("true", more));
    expect(reason).toBe("malformed-payload");
    expect(logOf(taskId)).toContain(`[taskcluster:error] ${message}`);
    expect(logOf(taskId)).not.toContain("Executing command");
  });

  test("is not one with neutral values for unsupported keys", async () => {
    const neutral = {
      mounts: [],
      osGroups: [],
      supersederUrl: "https://example.com",
      features: { taskclusterProxy: false, interactive: false, resourceMonitor: true, chainOfTrust: false },
    };
    expect((await run(shell("true", neutral)))[1]).toBe("completed");
  });
});

describe("the logs", () => {
  test("can be followed while the task runs, and are compressed afterwards", async () => {
    const gate = await sharedFolder();
    const taskId = queue.submit(
      shell(`echo one; while [ ! -e ${gate}/open ]; do sleep 0.05; done; echo two`),
    );
    const response = await fetch(await liveUrl(taskId));
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    while (!seen.includes("one\n")) seen += (await reader?.read())?.value ?? "";
    expect(queue.status(taskId).state).toBe("running");
    await writeFile(join(gate, "open"), "");
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
      seen += next.value;
    await queue.resolved(taskId);
    expect(seen).toBe(logOf(taskId));
    expect(queue.artifact(taskId, backingName)).toMatchObject({
      request: { storageType: "s3", contentType: "text/plain; charset=utf-8" },
      headers: { "content-encoding": "gzip", "content-type": "text/plain; charset=utf-8" },
    });
    await rm(gate, { recursive: true });
  });

  test("have an artifact for as long as the task may run, which then links to the saved log", async () => {
    const taskId = queue.submit(shell("sleep 0.2", { maxRunTime: 600 }));
    await liveUrl(taskId);
    const { expires = "" } = queue.artifact(taskId, liveName)?.request ?? {};
    expect(Date.parse(expires) - Date.now()).toBeGreaterThan(24.5 * 60_000);
    expect(Date.parse(expires) - Date.now()).toBeLessThan(25.1 * 60_000);
    await queue.resolved(taskId);
    expect(queue.artifact(taskId, liveName)?.request).toMatchObject({
      storageType: "link",
      artifact: backingName,
      expires: queue.status(taskId).expires,
    });
  });

  test("are served at the configured address, under the configured URL", async () => {
    const own = await startFakeQueue();
    const settings = { liveLogHost: "localhost", liveLogUrl: "https://logs.example.com/w1" };
    const otherWorker = await startTestWorker(own.rootUrl, settings);
    const [taskId] = await run(shell("true", { features: { backingLog: false } }), own);
    await otherWorker.end();
    await own.close();
    expect(own.artifact(taskId, liveName)?.request).toMatchObject({
      storageType: "reference",
      url: expect.stringMatching(/^https:\/\/logs\.example\.com\/w1\/log\//),
    });
  });

  test("have the names from the payload, or are disabled by it", async () => {
    const logs = { live: "public/a.log", backing: "private/b.log" };
    const [first] = await run(shell("true", { logs }));
    expect(queue.content(first, "private/b.log")).toContain("SUCCEEDED");
    expect(queue.artifact(first, "public/a.log")).toBeDefined();
    const second = queue.submit(shell("true", { features: { liveLog: false, backingLog: false } }));
    expect(await queue.resolved(second)).toBe("completed");
    expect([queue.artifact(second, liveName), queue.artifact(second, backingName)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("do not affect how a task ends", async () => {
    queue.inject("createArtifact", 403, 403);
    const [taskId, reason] = await run(shell("true"));
    expect(reason).toBe("completed");
    expect(queue.artifact(taskId, backingName)).toBeUndefined();
  });
});

describe("a worker", () => {
  test("runs as many concurrent tasks as it has slots", async () => {
    const wide = await another({ capacity: 3 });
    const gate = await sharedFolder();
    // Each waits for the other two.
    const script = (n: number) =>
      shell(`touch ${gate}/${n}; until [ $(ls ${gate} | wc -l) = 3 ]; do sleep 0.05; done`);
    const tasks = [1, 2, 3].map((n) => wide.submit(script(n)));
    expect(await Promise.all(tasks.map((taskId) => wide.resolved(taskId)))).toEqual(
      Array(3).fill("completed"),
    );
    await rm(gate, { recursive: true });
  });

  test("retries its report until the queue accepts it", async () => {
    const before = queue.count("reportCompleted");
    queue.inject("reportCompleted", 503, "lose-reply", 500);
    expect((await run(shell("true")))[1]).toBe("completed");
    await queue.until(() => queue.count("reportCompleted") === before + 4);
  });

  test("that cannot start leaves nothing behind: another can start with its id", async () => {
    const workDir = await makeTemporaryFolder();
    onTestFinished(() => rm(workDir, { recursive: true, force: true }));
    const taken = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void taken.close());
    await once(taken, "listening");
    const { port: liveLogPort } = taken.address() as AddressInfo;
    const children = () => [...allProcesses()].filter(({ parent, alive }) => parent === process.pid && alive);
    const before = new Set(children().map(({ pid }) => pid));
    await expect(startTestWorker(queue.rootUrl, { workDir, liveLogPort })).rejects.toThrow(
      "the worker cannot serve live logs: listen EADDRINUSE",
    );
    await eventually(() => expect(children().filter(({ pid }) => !before.has(pid))).toEqual([]));
    await another({ workDir });
  });

  test("reports what is wrong with its folder", async () => {
    await expect(startTestWorker(queue.rootUrl, { workDir: "/dev/null/x" })).rejects.toThrow(
      "The worker's folder /dev/null/x cannot be used: /dev/null/x: a part of the path is not a folder (ENOTDIR). Make it a " +
        "folder that this user can write, or set worker.workDir (--work-dir) to another one.",
    );
  });

  test("whose disk is full says so, in the log of the task too, which it saves", onlyWithMounts, async () => {
    const workDir = await makeTemporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=755", "none", workDir]);
    const own = await startFakeQueue();
    const full = await startTestWorker(own.rootUrl, { workDir });
    try {
      const [taskId, reason] = await run(shell("head -c 1000000 /dev/urandom | base64"), own);
      expect(reason).toBe("resource-unavailable");
      const errors = own
        .content(taskId, backingName)
        .split("\n")
        .filter((line) => line.startsWith("[taskcluster:error]"));
      const control = `${workDir}/control/task_${taskId}_0`;
      expect(errors).toEqual([
        `[taskcluster:error] The log cannot be written to the worker's folder ${control}: the disk is full (ENOSPC). ` +
          "The output of commands from here on is lost.",
      ]);
    } finally {
      await full.stop("the test is over");
      execFileSync("umount", [workDir]);
      await rm(workDir, { recursive: true });
      await own.close();
    }
  });
});
