// Creates task definitions, tasks and claims with defaults for everything that a test does not specify.
import type { TaskDefinitionRequest } from "../../src/api/queue/task.ts";
import type { Client } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { completeRequest } from "../../src/server/services/queue/tasks/complete-request.ts";
import { defineTask } from "../../src/server/services/queue/tasks/define-task.ts";
import type { NewTask } from "../../src/server/services/queue/tasks/store/insert-tasks.ts";

const hour = 3_600_000;

/** Returns a definition that the queue accepts. `now` is the server's time. */
export function taskDefinition(
  overrides: Partial<TaskDefinitionRequest> = {},
  now: number = Date.now(),
): TaskDefinitionRequest {
  return {
    taskQueueId: "test/queue",
    created: new Date(now).toISOString(),
    deadline: new Date(now + hour).toISOString(),
    expires: new Date(now + 24 * hour).toISOString(),
    payload: {},
    metadata: {
      name: "a task",
      description: "made by a test",
      owner: "nobody@example.com",
      source: "https://example.com/source",
    },
    ...overrides,
  };
}

/** A task that can be passed to the statements that write tasks. */
export function newTask(
  overrides: Partial<TaskDefinitionRequest> = {},
  now: number = Date.now(),
  taskId: string = slugid(),
): NewTask {
  const rules = { now, toleranceMs: 1000, maxDeadlineMs: 1e9, maxDependencies: 10 };
  return defineTask(completeRequest(taskId, taskDefinition(overrides, now)), rules);
}

/** Creates a task and returns its id. */
export async function createTask(
  client: Client,
  overrides: Partial<TaskDefinitionRequest> = {},
  now?: number,
): Promise<string> {
  const taskId = slugid();
  await client.queue.createTask({ taskId }, taskDefinition(overrides, now));
  return taskId;
}

/** Creates equal tasks in one call, which takes a fraction of the time of that many calls, and returns their ids. */
export async function createCopies(
  client: Client,
  count: number,
  overrides: Partial<TaskDefinitionRequest> = {},
  now?: number,
): Promise<string[]> {
  const ids = Array.from({ length: count }, () => slugid());
  const task = taskDefinition(overrides, now);
  await client.queue.createTasks({ tasks: ids.map((taskId) => ({ taskId, task })) });
  return ids;
}

/** Claims one task of a queue. Throws if there is none. */
export async function claimOne(client: Client, taskQueueId = "test/queue") {
  const { tasks } = await client.queue.claimWork(
    { taskQueueId },
    { workerGroup: "group", workerId: "worker", tasks: 1 },
  );
  const [claim] = tasks;
  if (!claim) throw new Error(`there is no task to claim in ${taskQueueId}`);
  return claim;
}
