// A worker with a temporary folder, by default on a fake queue.
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Value from "typebox/value";
import { connect } from "../../src/client/index.ts";
import { workerSettings } from "../../src/lib/worker-settings.ts";
import { startWorker } from "../../src/worker/main.ts";
import type { Worker, WorkerOptions } from "../../src/worker/main.ts";
import { taskQueueId } from "./fake-queue-state.ts";

export interface TestWorker extends Worker {
  readonly workDir: string;
  /** The lines of the worker's log: level and message. */
  readonly logged: readonly string[];
  /** Stops the worker and removes its folder. */
  end(): Promise<void>;
}

/** Returns the folders of runs in a worker's folder. */
export async function runFolders(workDir: string): Promise<string[]> {
  const parents = ["control", "tasks"];
  return (await Promise.all(parents.map((name) => readdir(join(workDir, name))))).flat();
}

/** Creates a folder in which the test and its tasks can write. If the tests run as root, tasks run as another user. */
export async function sharedFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "taskyard-gate-"));
  await chmod(folder, 0o1777);
  return folder;
}

export async function startTestWorker(
  rootUrl: string,
  options: Partial<WorkerOptions> = {},
): Promise<TestWorker> {
  const workDir = options.workDir ?? (await mkdtemp(join(tmpdir(), "taskyard-worker-")));
  const logged: string[] = [];
  const logAt = (level: string) => (fields: object, message: string) => {
    const error = "err" in fields && fields.err instanceof Error ? ` (${fields.err.stack})` : "";
    logged.push(`${level}: ${message}${error}`);
  };
  const settings: unknown = Value.Default(workerSettings, {
    taskQueueId,
    workerGroup: "test-group",
    workerId: "test-worker",
    capacity: 1,
    workDir,
  });
  Value.Assert(workerSettings, settings);
  const worker = await startWorker({
    ...settings,
    client: connect({ rootUrl, credentials: { clientId: "test", accessToken: "secret" } }),
    log: { debug: logAt("debug"), info: logAt("info"), warn: logAt("warn"), error: logAt("error") },
    ...options,
  });
  return {
    ...worker,
    workDir,
    logged,
    async end() {
      await worker.stop("the test is over");
      await rm(workDir, { recursive: true, force: true });
    },
  };
}
