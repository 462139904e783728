// A task that a worker has claimed, for tests of what happens while it runs.
import type { TaskDefinitionRequest } from "../../src/api/queue/task.ts";
import type { Client } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { claimOne, createTask } from "./factories.ts";
import type { Stack } from "./stack.ts";

export interface RunningTask {
  readonly taskId: string;
  /** Parameters of calls about the run. */
  readonly run: { readonly taskId: string; readonly runId: string };
  /** Calls with the credentials that came with the claim. */
  readonly worker: Client;
}

/** Creates a task in a queue of its own and claims it. `now` is the server's time. */
export async function runningTask(
  stack: Stack,
  overrides: Partial<TaskDefinitionRequest> = {},
  now?: number,
): Promise<RunningTask> {
  // A letter first: not every slugid is the name of a worker type.
  const taskQueueId = `test/q${slugid()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "0")}`;
  const taskId = await createTask(stack.client, { taskQueueId, ...overrides }, now);
  const claim = await claimOne(stack.client, taskQueueId);
  return { taskId, run: { taskId, runId: String(claim.runId) }, worker: stack.as(claim.credentials) };
}
