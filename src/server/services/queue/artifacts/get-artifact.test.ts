import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { runningTask, type RunningTask } from "../../../../../test/support/running-task.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { CreateArtifactRequest } from "../../../../api/queue/artifacts.ts";
import { createTemporaryCredentials, type Client } from "../../../../client/index.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

const minute = 60_000;
const clock = manualClock(Date.UTC(2026, 5, 1));
const inMinutes = (n: number): string => new Date(clock.now() + n * minute).toISOString();

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ clock, roles: ["api"] });
});
afterAll(() => stack.stop());

const running = (): Promise<RunningTask> => runningTask(stack, {}, clock.now());
const create = ({ worker, run }: RunningTask, name: string, body: CreateArtifactRequest) =>
  worker.queue.createArtifact({ ...run, name }, body);
const link = (artifact: string): CreateArtifactRequest => ({
  storageType: "link",
  expires: inMinutes(60),
  artifact,
});
const reference = (url: string): CreateArtifactRequest => ({
  storageType: "reference",
  expires: inMinutes(60),
  contentType: "text/plain",
  url,
});

/** Creates an artifact and uploads it. */
async function upload(task: RunningTask, name: string, text: string): Promise<void> {
  const body = { storageType: "s3", expires: inMinutes(60), contentType: "text/plain" } as const;
  const reply = await create(task, name, body);
  if (reply.storageType !== "s3") throw new Error("not the reply of an upload");
  const put = { method: "PUT", body: text, headers: { "content-type": "text/plain" } };
  expect((await fetch(reply.putUrl, put)).status).toBe(200);
}

/** Returns a client that has these scopes and no others. */
async function clientWith(...scopes: string[]): Promise<Client> {
  return stack.as(
    await createTemporaryCredentials({
      credentials: stack.rootCredentials,
      start: clock.now(),
      expiry: clock.now() + 60 * minute,
      scopes,
    }),
  );
}

describe("getArtifact", () => {
  it("redirects any caller to a public artifact, with the same URL as JSON", async () => {
    const task = await running();
    await upload(task, "public/dir/a b.txt", "hello");
    const path = `${stack.rootUrl}/api/queue/v1/task/${task.taskId}/runs/0/artifacts`;
    for (const name of ["public%2Fdir%2Fa%20b.txt", "public/dir/a%20b.txt"]) {
      const reply = await fetch(`${path}/${name}`, { redirect: "manual" });
      expect(reply.status).toBe(303);
      const url = reply.headers.get("location") ?? "";
      expect(url).toMatch(`${stack.rootUrl}/artifact-store/${task.taskId}/0/public/dir/a%20b.txt?expires=`);
      expect(reply.headers.get("x-taskcluster-artifact-storage-type")).toBe("s3");
      expect(reply.headers.get("cache-control")).toContain("no-store");
      expect(await reply.json()).toEqual({ storageType: "s3", url });
      expect(await (await fetch(`${path}/${name}`)).text()).toBe("hello");
    }
  });

  it("returns URLs with the host name of the request", async () => {
    const task = await running();
    await upload(task, "public/x", "hello");
    const { port } = new URL(stack.rootUrl);
    for (const host of ["127.0.0.1", "localhost"]) {
      const baseUrl = `http://${host}:${port}`;
      const reply = await fetch(`${baseUrl}/api/queue/v1/task/${task.taskId}/artifacts/public/x`, {
        redirect: "manual",
      });
      expect(reply.headers.get("location")).toMatch(`${baseUrl}/artifact-store/`);
    }
  });

  it("redirects to the URL of a reference", async () => {
    const task = await running();
    await create(task, "public/log", reference("https://example.com/log?a=b"));
    const reply = await fetch(
      `${stack.rootUrl}/api/queue/v1/task/${task.taskId}/runs/0/artifacts/public/log`,
      { redirect: "manual" },
    );
    expect([reply.status, reply.headers.get("location")]).toEqual([303, "https://example.com/log?a=b"]);
    expect(reply.headers.get("x-taskcluster-artifact-storage-type")).toBe("reference");
    expect(await reply.json()).toEqual({ storageType: "reference", url: "https://example.com/log?a=b" });
  });

  it("returns 424 for an error, with its reason and message", async () => {
    const task = await running();
    const failure = { reason: "file-missing-on-worker", message: 'No "file" here.' } as const;
    await create(task, "public/e", { storageType: "error", expires: inMinutes(60), ...failure });
    const reply = await fetch(`${stack.rootUrl}/api/queue/v1/task/${task.taskId}/runs/0/artifacts/public/e`);
    expect([reply.status, await reply.json()]).toEqual([424, failure]);
    expect(reply.headers.get("x-taskcluster-artifact-storage-type")).toBe("error");
    expect(await stack.client.queue.artifact({ ...task.run, name: "public/e" })).toEqual({
      storageType: "error",
      ...failure,
    });
  });

  it("redirects to a 404 that explains that nothing was uploaded", async () => {
    const task = await running();
    await create(task, "public/x", { storageType: "s3", expires: inMinutes(60), contentType: "a/b" });
    const reply = await fetch(`${stack.rootUrl}/api/queue/v1/task/${task.taskId}/runs/0/artifacts/public/x`);
    expect(reply.status).toBe(404);
    expect(((await reply.json()) as { message: string }).message).toContain(
      `There is no content for artifact "public/x" of run 0 of task ${task.taskId}: its upload was never completed`,
    );
  });

  it("refuses what does not exist or has expired", async () => {
    const task = await running();
    await create(task, "public/x", reference("https://example.com/"));
    const get = (taskId: string, runId: string, name: string) =>
      stack.client.queue.getArtifact({ taskId, runId, name });
    const missing = { statusCode: 404, code: "ResourceNotFound" };
    await expect(get(task.taskId, "0", "public/y")).rejects.toMatchObject({
      ...missing,
      message: `Run 0 of task ${task.taskId} has no artifact "public/y": it was never created, or has expired. List those of the task (listLatestArtifacts), or rerun it.`,
    });
    for (const runId of ["1", "70000", "123456789012345678901234567890"])
      await expect(get(task.taskId, runId, "public/x")).rejects.toMatchObject(missing);
    await expect(get(slugid(), "0", "public/x")).rejects.toMatchObject(missing);
    const expires = inMinutes(60);
    await clock.advance(60 * minute + 1);
    await expect(get(task.taskId, "0", "public/x")).rejects.toMatchObject({
      statusCode: 410,
      code: "ResourceExpired",
      message: `Artifact "public/x" of run 0 of task ${task.taskId} expired at ${expires}. Rerun the task to create it again.`,
    });
  });

  it("does not reveal to callers without scope whether a private name exists", async () => {
    const task = await running();
    await upload(task, "private/x", "secret");
    const clients = [stack.as(undefined), await clientWith("queue:get-artifact:private/other")];
    for (const client of clients)
      for (const name of ["private/x", "private/y"])
        await expect(client.queue.getArtifact({ ...task.run, name })).rejects.toMatchObject({
          statusCode: 403,
          code: "InsufficientScopes",
          message: expect.stringContaining(`queue:get-artifact:${name}`),
        });
    const reader = await clientWith("queue:get-artifact:private/*");
    const { url } = await reader.queue.getArtifact({ ...task.run, name: "private/x" });
    expect(await (await fetch(url)).text()).toBe("secret");
  });
});

describe("a link", () => {
  it("leads to its target within the run, also over several links", async () => {
    const task = await running();
    await upload(task, "public/c", "at the end");
    await create(task, "public/b", link("public/c"));
    await create(task, "public/a", link("public/b"));
    const { url } = await stack.as(undefined).queue.getArtifact({ ...task.run, name: "public/a" });
    expect(await (await fetch(url)).text()).toBe("at the end");
    expect(await stack.client.queue.artifactInfo({ ...task.run, name: "public/a" })).toMatchObject({
      storageType: "link",
      contentType: "application/binary",
    });
  });

  it("does not grant access to its target", async () => {
    const task = await running();
    await upload(task, "private/x", "secret");
    await create(task, "public/a", link("private/x"));
    await create(task, "public/b", link("private/missing"));
    for (const [name, missing] of [
      ["public/a", "private/x"],
      ["public/b", "private/missing"],
    ] as const)
      await expect(stack.as(undefined).queue.getArtifact({ ...task.run, name })).rejects.toMatchObject({
        statusCode: 403,
        message: expect.stringContaining(`queue:get-artifact:${missing}`),
      });
  });

  it("requires the scopes of all names on the way, and its error has all of them", async () => {
    const task = await running();
    await create(task, "public/1", link("private/2"));
    await create(task, "private/2", link("public/3"));
    await create(task, "public/3", link("private/4"));
    await upload(task, "private/4", "secret");
    const refused = stack.as(undefined).queue.getArtifact({ ...task.run, name: "public/1" });
    await expect(refused).rejects.toMatchObject({ statusCode: 403 });
    for (const name of ["public/1", "private/2", "public/3", "private/4"])
      await expect(refused).rejects.toThrow(`queue:get-artifact:${name}"`);
    const reader = await clientWith("queue:get-artifact:private/2", "queue:get-artifact:private/4");
    const { url } = await reader.queue.getArtifact({ ...task.run, name: "public/1" });
    expect(await (await fetch(url)).text()).toBe("secret");
  });

  it("is refused if its target is missing, in a cycle, or behind more than a thousand links", async () => {
    const task = await running();
    const get = (name: string) => stack.client.queue.artifact({ ...task.run, name });
    await create(task, "a", link("b"));
    await expect(get("a")).rejects.toMatchObject({
      statusCode: 404,
      message: expect.stringContaining('artifact "b"'),
    });
    await create(task, "b", link("c"));
    await create(task, "c", link("a"));
    await expect(get("a")).rejects.toMatchObject({
      statusCode: 400,
      code: "InputError",
      message:
        "The links form a cycle: a → b → c → a. Create one of them again, as a link to an artifact with content.",
    });
    await create(task, "link-0", link("link-1"));
    await stack.database.db.run(sql`
      insert into artifacts (task_id, run_id, name, storage_type, content_type, details, present, expires)
      select task_id, run_id, 'link-' || n, storage_type, content_type, '{"artifact":"link-' || n + 1 || '"}', present, expires
      from artifacts, generate_series(1, 1000) n where task_id = ${task.run.taskId} and name = 'link-0'`);
    await upload(task, "link-1001", "at the end of the chain");
    expect(await get("link-1")).toMatchObject({ storageType: "s3" });
    await expect(get("link-0")).rejects.toMatchObject({
      statusCode: 400,
      message:
        '"link-0" is a chain of more than 1000 links. Create it again, as a link to the artifact with content.',
    });
  });
});

describe("the latest run", () => {
  it("is the one with the highest id, whatever its state", async () => {
    const task = await running();
    await create(task, "public/log", reference("https://example.com/run-0"));
    await task.worker.queue.reportException(task.run, { reason: "worker-shutdown" });
    const latest = { taskId: task.taskId, name: "public/log" };
    // The retry is pending and has no artifacts yet.
    for (const method of ["getLatestArtifact", "latestArtifact", "latestArtifactInfo"] as const)
      await expect(stack.client.queue[method](latest)).rejects.toMatchObject({
        statusCode: 404,
        message: expect.stringContaining(`Run 1 of task ${task.taskId} has no artifact "public/log"`),
      });
    expect(await stack.client.queue.listLatestArtifacts({ taskId: task.taskId })).toEqual({ artifacts: [] });

    const { status } = await stack.client.queue.claimTask(
      { taskId: task.taskId, runId: "1" },
      { workerGroup: "group", workerId: "worker" },
    );
    expect(status.runs).toHaveLength(2);
    await stack.client.queue.createArtifact(
      { taskId: task.taskId, runId: "1", name: "public/log" },
      reference("https://example.com/run-1"),
    );
    const found = { storageType: "reference", url: "https://example.com/run-1" };
    expect(await stack.client.queue.getLatestArtifact(latest)).toEqual(found);
    expect(await stack.client.queue.latestArtifact(latest)).toEqual(found);
    expect(await stack.client.queue.latestArtifactInfo(latest)).toMatchObject({ name: "public/log" });
    expect(await stack.client.queue.artifact({ ...task.run, name: "public/log" })).toMatchObject({
      url: "https://example.com/run-0",
    });
  });

  it("is missing without a task or run, which callers without scopes do not learn", async () => {
    const unscheduled = await createTask(
      stack.client,
      { dependencies: [(await running()).taskId] },
      clock.now(),
    );
    for (const [taskId, reason] of [
      [slugid(), "does not exist"],
      [unscheduled, "has no run yet"],
    ] as const) {
      const missing = { statusCode: 404, message: expect.stringContaining(`Task ${taskId} ${reason}`) };
      const { queue } = stack.client;
      await expect(queue.getLatestArtifact({ taskId, name: "x" })).rejects.toMatchObject(missing);
      await expect(queue.latestArtifact({ taskId, name: "x" })).rejects.toMatchObject(missing);
      await expect(queue.latestArtifactInfo({ taskId, name: "x" })).rejects.toMatchObject(missing);
      await expect(queue.listLatestArtifacts({ taskId })).rejects.toMatchObject(missing);
      const anonymous = stack.as(undefined).queue;
      const refused = { statusCode: 403 };
      await expect(anonymous.getLatestArtifact({ taskId, name: "x" })).rejects.toMatchObject(refused);
      await expect(anonymous.latestArtifact({ taskId, name: "x" })).rejects.toMatchObject(refused);
    }
  });
});
