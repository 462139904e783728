// A worker on a fake queue, with a folder of its own that goes away with it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../src/client/index.ts";
import { startWorker } from "../../src/worker/main.ts";
import type { Worker, WorkerOptions } from "../../src/worker/main.ts";
import { taskQueueId } from "./fake-queue-state.ts";

export interface TestWorker extends Worker {
  readonly workDir: string;
  /** What the worker told its operator: level and message. */
  readonly told: readonly string[];
  /** Stops the worker and removes its folder. */
  end(): Promise<void>;
}

export async function startTestWorker(
  rootUrl: string,
  options: Partial<WorkerOptions> = {},
): Promise<TestWorker> {
  const workDir = options.workDir ?? (await mkdtemp(join(tmpdir(), "taskyard-worker-")));
  const told: string[] = [];
  const tell = (level: string) => (fields: object, message: string) => {
    const error = "err" in fields && fields.err instanceof Error ? ` (${fields.err.stack})` : "";
    told.push(`${level}: ${message}${error}`);
  };
  const worker = await startWorker({
    client: connect({ rootUrl, credentials: { clientId: "test", accessToken: "secret" } }),
    taskQueueId,
    workerGroup: "test-group",
    workerId: "test-worker",
    capacity: 1,
    workDir,
    log: { debug: tell("debug"), info: tell("info"), warn: tell("warn"), error: tell("error") },
    ...options,
  });
  return {
    ...worker,
    workDir,
    told,
    async end() {
      await worker.stop("the test is over");
      await rm(workDir, { recursive: true, force: true });
    },
  };
}
