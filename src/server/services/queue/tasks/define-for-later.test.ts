// defineTask: creates a task that waits until scheduleTask is called.
import { beforeAll, describe, expect, it } from "vitest";
import { createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { sharedStack, type Stack } from "../../../../../test/support/stack.ts";
import { slugid } from "../../../../lib/slugid.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});

const summaryOf = async (taskId: string) => summarize(await queueEvents(stack.database.db, { taskId }));

describe("a task created by defineTask", () => {
  it("depends on itself, so it waits until it is scheduled", async () => {
    const taskId = slugid();
    const definition = taskDefinition();
    const { status } = await stack.client.queue.defineTask({ taskId }, definition);
    expect(status).toMatchObject({ taskId, state: "unscheduled", runs: [] });
    expect(await stack.client.queue.task({ taskId })).toMatchObject({
      ...definition,
      dependencies: [taskId],
    });
    expect(await summaryOf(taskId)).toEqual(["task-defined"]);
    expect((await stack.client.queue.scheduleTask({ taskId })).status.state).toBe("pending");
    expect(await summaryOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
  });

  it("keeps its other dependencies, and still waits when they are resolved", async () => {
    const dependency = await createTask(stack.client);
    const taskId = slugid();
    const definition = taskDefinition({ dependencies: [dependency, taskId], requires: "all-resolved" });
    await stack.client.queue.defineTask({ taskId }, definition);
    expect((await stack.client.queue.task({ taskId })).dependencies).toEqual([dependency, taskId]);
    await stack.client.queue.cancelTask({ taskId: dependency });
    expect((await stack.client.queue.status({ taskId })).status.state).toBe("unscheduled");
  });

  it("can be defined again, but not with a different definition", async () => {
    const taskId = slugid();
    const definition = taskDefinition();
    const first = await stack.client.queue.defineTask({ taskId }, definition);
    expect(await stack.client.queue.defineTask({ taskId }, definition)).toEqual(first);
    await expect(
      stack.client.queue.defineTask({ taskId }, { ...definition, retries: 1 }),
    ).rejects.toMatchObject({ code: "RequestConflict" });
    // Without the dependency on itself, the definition differs too.
    await expect(stack.client.queue.createTask({ taskId }, definition)).rejects.toMatchObject({
      code: "RequestConflict",
    });
  });

  it("requires the scopes of createTask", async () => {
    const taskId = slugid();
    const scopes = [
      "queue:create-task:project:none",
      "queue:scheduler-id:-",
      "queue:create-task:lowest:test/queue",
    ];
    for (const missing of scopes)
      await expect(
        stack
          .limited(scopes.filter((scope) => scope !== missing))
          .queue.defineTask({ taskId }, taskDefinition()),
      ).rejects.toMatchObject({
        code: "InsufficientScopes",
        message: expect.stringContaining(missing),
      });
    expect(await summaryOf(taskId)).toEqual([]);
    const { status } = await stack.limited(scopes).queue.defineTask({ taskId }, taskDefinition());
    expect(status.state).toBe("unscheduled");
  });
});
