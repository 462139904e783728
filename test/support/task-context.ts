// Creates the context of a task for tests of engines and plugins, with real folders and a real log but no queue.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { slugid } from "../../src/lib/slugid.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { logMonitor } from "../../src/worker/worker-monitor.ts";
import type { TaskContext } from "../../src/worker/task-context.ts";
import { createTaskFolders } from "../../src/worker/task-dir.ts";
import { openTaskLog } from "../../src/worker/task-log.ts";
import { openWorkDir } from "../../src/worker/work-dir.ts";
import { createState } from "./fake-queue-state.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";
import { taskUser } from "./test-engine.ts";

export interface TestTask {
  readonly context: TaskContext;
  /** Closes the log and returns its text. */
  logText(): Promise<string>;
  /** Removes the folders. */
  end(): Promise<void>;
}

export async function createTestTask(overrides: Partial<TaskContext> = {}): Promise<TestTask> {
  const folder = await makeTemporaryFolder();
  const workDir = await openWorkDir(folder, taskUser.separate ? taskUser : undefined);
  const taskId = slugid();
  const { taskDir, homeDir, tempDir, controlDir } = await createTaskFolders(workDir, { taskId, runId: 0 });
  const log = await openTaskLog(join(controlDir, "task.log"), systemClock);
  const state = createState({ claimMs: 60_000, skewMs: 0 });
  const { status, task } = state.claim(state.submit({}), { workerGroup: "g", workerId: "w", tasks: 1 });
  const silent = (): void => undefined;
  const noQueue = (): Promise<never> => Promise.reject(new Error("there is no queue in this test"));
  const context: TaskContext = {
    info: {
      taskId,
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
    homeDir,
    tempDir,
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
      await rm(folder, { recursive: true, force: true });
    },
  };
}
