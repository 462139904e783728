// A claimed task, for tests of calls during a run.
import type { TaskDefinitionRequest } from "../../src/api/queue/task.ts";
import type { Client } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { claimOne, createTask } from "./factories.ts";
import type { Stack } from "./stack.ts";

export interface RunningTask {
  readonly taskId: string;
  /** The parameters of calls about the run. */
  readonly run: { readonly taskId: string; readonly runId: string };
  /** A client with the credentials from the claim. */
  readonly worker: Client;
}

/** Creates a task in a new task queue and claims it. `now` is the server's time. */
export async function runningTask(
  stack: Stack,
  overrides: Partial<TaskDefinitionRequest> = {},
  now?: number,
): Promise<RunningTask> {
  // Not every slugid is a valid worker type, which begins with a letter.
  const taskQueueId = `test/q${slugid()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "0")}`;
  const taskId = await createTask(stack.client, { taskQueueId, ...overrides }, now);
  const claim = await claimOne(stack.client, taskQueueId);
  return { taskId, run: { taskId, runId: String(claim.runId) }, worker: stack.as(claim.credentials) };
}
