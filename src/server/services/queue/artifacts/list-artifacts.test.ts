import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runningTask } from "../../../../../test/support/running-task.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { slugid } from "../../../../lib/slugid.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ roles: ["api"] });
});
afterAll(() => stack.stop());

const expires = new Date(Date.now() + 3_600_000).toISOString();

describe("listArtifacts", () => {
  it("lists in byte order of names, in pages that stay consistent while artifacts are added", async () => {
    const { worker, run, taskId } = await runningTask(stack);
    const add = (name: string) =>
      worker.queue.createArtifact(
        { ...run, name },
        { storageType: "reference", expires, contentType: "a/b", url: "https://example.com/" },
      );
    for (const name of ["b", "a/b", "Z", "a", "~", " "]) await add(name);
    const sorted = [" ", "Z", "a", "a/b", "b", "~"];

    const all = await stack.client.queue.listArtifacts(run);
    expect(all).toEqual({
      artifacts: sorted.map((name) => ({ storageType: "reference", name, expires, contentType: "a/b" })),
    });
    expect(await stack.client.queue.listLatestArtifacts({ taskId })).toEqual(all);

    const first = await stack.client.queue.listArtifacts(run, { query: { limit: "3" } });
    expect(first.artifacts.map(({ name }) => name)).toEqual([" ", "Z", "a"]);
    await add("!");
    await add("c");
    const { continuationToken = "" } = first;
    const second = await stack.client.queue.listArtifacts(run, { query: { limit: "3", continuationToken } });
    expect(second.artifacts.map(({ name }) => name)).toEqual(["a/b", "b", "c"]);
    const third = await stack.client.queue.listArtifacts(run, {
      query: { continuationToken: second.continuationToken ?? "" },
    });
    expect(third).toMatchObject({ artifacts: [{ name: "~" }] });
    expect(third.continuationToken).toBeUndefined();
  });

  it("refuses tasks, runs and continuation tokens that do not exist", async () => {
    const { taskId } = await runningTask(stack);
    const list = (id: string, runId: string) => stack.client.queue.listArtifacts({ taskId: id, runId });
    await expect(list(taskId, "1")).rejects.toMatchObject({
      statusCode: 404,
      message: `Task ${taskId} has no run 1: its latest is 0. The status of the task lists them.`,
    });
    await expect(list(taskId, "99999999999")).rejects.toMatchObject({ statusCode: 404 });
    await expect(list(slugid(), "0")).rejects.toMatchObject({ statusCode: 404 });
    await expect(
      stack.client.queue.listArtifacts({ taskId, runId: "0" }, { query: { continuationToken: "?" } }),
    ).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining("Invalid continuation token"),
    });
  });

  it("requires the scope to list, which anonymous callers of an open instance have", async () => {
    const closed = await testStack({ roles: ["api"], config: { access: "closed" } });
    try {
      const { run } = await runningTask(closed);
      const anonymous = closed.as(undefined).queue;
      const missing = {
        statusCode: 403,
        message: expect.stringContaining(`queue:list-artifacts:${run.taskId}:0`),
      };
      await expect(anonymous.listArtifacts(run)).rejects.toMatchObject(missing);
      await expect(anonymous.artifactInfo({ ...run, name: "x" })).rejects.toMatchObject(missing);
      expect(await closed.client.queue.listArtifacts(run)).toEqual({ artifacts: [] });
    } finally {
      await closed.stop();
    }
    const { run } = await runningTask(stack);
    expect(await stack.as(undefined).queue.listArtifacts(run)).toEqual({ artifacts: [] });
  });
});
