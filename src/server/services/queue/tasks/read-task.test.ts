// task, status, getTaskGroup and listTaskGroup.
import { beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { sharedStack, type Stack } from "../../../../../test/support/stack.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});

describe("task and status", () => {
  it("return each of many concurrent callers the task it requested", async () => {
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, i) => createTask(stack.client, { tags: { i: `${i}` } })),
    );
    const requested = [...ids, slugid(), ...ids.toReversed()];
    const tags = await Promise.allSettled(requested.map((taskId) => stack.client.queue.task({ taskId })));
    const statuses = await Promise.allSettled(
      requested.map((taskId) => stack.client.queue.status({ taskId })),
    );
    for (const [i, taskId] of requested.entries()) {
      if (i === 30) {
        expect(tags[i]).toMatchObject({ status: "rejected", reason: { code: "ResourceNotFound" } });
        expect(statuses[i]).toMatchObject({
          reason: {
            code: "ResourceNotFound",
            message: `Task ${taskId} does not exist: it was never created here, or has expired. Check the id and the root URL.`,
          },
        });
      } else {
        expect(tags[i]).toMatchObject({ value: { tags: { i: `${ids.indexOf(taskId)}` } } });
        expect(statuses[i]).toMatchObject({ value: { status: { taskId, state: "pending" } } });
      }
    }
  });

  it("may be read without credentials", async () => {
    const taskId = await createTask(stack.client);
    const { queue } = stack.as(undefined);
    expect((await queue.task({ taskId })).metadata.name).toBe("a task");
    expect((await queue.status({ taskId })).status.taskId).toBe(taskId);
  });
});

describe("a task group", () => {
  it("is returned with its scheduler, its expiry, and the time at which it was sealed", async () => {
    const taskId = await createTask(stack.client, { schedulerId: "s", expires: "2031-01-01T00:00:00Z" });
    const group = { taskGroupId: taskId, schedulerId: "s", expires: "2031-01-01T01:00:00.000Z" };
    expect(await stack.client.queue.getTaskGroup({ taskGroupId: taskId })).toEqual(group);
    const sealed = "2026-01-01T00:00:00.000Z";
    await stack.database.db.run(
      sql`update task_groups set sealed = ${sealed} where task_group_id = ${taskId}`,
    );
    expect(await stack.client.queue.getTaskGroup({ taskGroupId: taskId })).toEqual({ ...group, sealed });
    expect(await stack.client.queue.listTaskGroup({ taskGroupId: taskId })).toMatchObject({
      ...group,
      sealed,
      tasks: [{ status: { taskId } }],
    });
  });

  it("lists definition and status of every task, in order of ids", async () => {
    const taskGroupId = await createTask(stack.client);
    for (let i = 0; i < 5; i++) await createTask(stack.client, { taskGroupId, dependencies: [taskGroupId] });
    const { tasks, ...rest } = await stack.client.queue.listTaskGroup({ taskGroupId });
    expect(rest).toEqual({ taskGroupId, schedulerId: "-", expires: expect.any(String) });
    const ids = tasks.map(({ status }) => status.taskId);
    expect(ids).toHaveLength(6);
    expect(ids).toEqual(ids.toSorted());
    for (const { task, status } of tasks) {
      const { taskId } = status;
      expect(task).toEqual(await stack.client.queue.task({ taskId }));
      expect({ status }).toEqual(await stack.client.queue.status({ taskId }));
    }
  });

  it("is listed in pages of any size, each task once", async () => {
    const taskGroupId = await createTask(stack.client);
    await Promise.all(Array.from({ length: 6 }, () => createTask(stack.client, { taskGroupId })));
    const whole = await stack.client.queue.listTaskGroup({ taskGroupId });
    for (const limit of [1, 2, 3, 6, 7, 8, 1_000_000]) {
      const listed: string[] = [];
      let continuationToken: string | undefined;
      let pages = 0;
      do {
        const query = { limit, ...(continuationToken !== undefined && { continuationToken }) };
        const page = await stack.client.queue.listTaskGroup({ taskGroupId }, { query });
        expect(page.tasks.length).toBeGreaterThan(0);
        listed.push(...page.tasks.map(({ status }) => status.taskId));
        ({ continuationToken } = page);
        pages++;
      } while (continuationToken !== undefined);
      expect(listed).toEqual(whole.tasks.map(({ status }) => status.taskId));
      expect(pages).toBe(Math.ceil(7 / limit));
    }
  });

  it("is not listed for an invalid continuation token or a limit of 0", async () => {
    const taskGroupId = await createTask(stack.client);
    const list = (query: { limit?: string; continuationToken?: string }) =>
      stack.client.queue.listTaskGroup({ taskGroupId }, { query });
    const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    for (const continuationToken of [
      "?",
      "AAAA",
      token(1),
      token(null),
      token([1]),
      token({}),
      token(["\0"]),
      token(["é"]),
    ])
      await expect(list({ continuationToken })).rejects.toMatchObject({
        code: "InputError",
        message: expect.stringContaining("Invalid continuation token"),
      });
    await expect(list({ limit: "0" })).rejects.toMatchObject({ code: "InvalidRequestArguments" });
    for (const limit of ["-1", "1.5", "x", "1e3"])
      await expect(list({ limit })).rejects.toMatchObject({
        code: "InvalidRequestArguments",
        message: expect.stringContaining(`limit given as '${limit}'`),
      });
    expect(await list({ limit: "9".repeat(400), continuationToken: token(["~"]) })).toMatchObject({
      tasks: [],
    });
  });

  it("that was never created is not found", async () => {
    const taskGroupId = slugid();
    const missing = {
      code: "ResourceNotFound",
      message: `Task group ${taskGroupId} does not exist: no task was created in it, or it has expired. Check the id and the root URL.`,
    };
    await expect(stack.client.queue.getTaskGroup({ taskGroupId })).rejects.toMatchObject(missing);
    await expect(stack.client.queue.listTaskGroup({ taskGroupId })).rejects.toMatchObject(missing);
  });
});
