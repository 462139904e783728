// Creates the context of a task for tests of engines and plugins, with real folders and a real log but no queue.
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { slugid } from "../../src/lib/slugid.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { logMonitor } from "../../src/worker/worker-monitor.ts";
import type { TaskContext } from "../../src/worker/task-context.ts";
import { openTaskLog } from "../../src/worker/task-log.ts";
import { createState } from "./fake-queue-state.ts";

export interface TestTask {
  readonly context: TaskContext;
  /** Closes the log and returns its text. */
  logText(): Promise<string>;
  /** Removes the folders. */
  end(): Promise<void>;
}

export async function createTestTask(overrides: Partial<TaskContext> = {}): Promise<TestTask> {
  const controlDir = await mkdtemp(join(tmpdir(), "taskyard-task-"));
  const taskDir = join(controlDir, "work");
  await mkdir(taskDir);
  const log = await openTaskLog(join(controlDir, "task.log"), systemClock);
  const state = createState({ claimMs: 60_000, skewMs: 0 });
  const { status, task } = state.claim(state.submit({}), { workerGroup: "g", workerId: "w", tasks: 1 });
  const silent = (): void => undefined;
  const noQueue = (): Promise<never> => Promise.reject(new Error("there is no queue in this test"));
  const context: TaskContext = {
    info: {
      taskId: slugid(),
      runId: 0,
      rootUrl: "https://taskyard.example.com",
      taskQueueId: status.taskQueueId,
      expires: status.expires,
      definition: task,
    },
    log,
    monitor: logMonitor({ debug: silent, info: silent, warn: silent, error: silent }),
    clock: systemClock,
    signal: new AbortController().signal,
    artifacts: { file: noQueue, record: noQueue },
    downloads: { save: noQueue },
    reservedArtifacts: new Set(),
    taskDir,
    controlDir,
    ...overrides,
  };
  return {
    context,
    async logText() {
      await log.close();
      return await readFile(log.path, "utf8");
    },
    async end() {
      await log.dispose();
      await rm(controlDir, { recursive: true, force: true });
    },
  };
}
