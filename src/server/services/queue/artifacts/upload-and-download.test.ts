// Artifacts from end to end through the URLs that the queue returns, on each store.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runningTask, type RunningTask } from "../../../../../test/support/running-task.ts";
import { s3Error, startS3Server, type S3Server } from "../../../../../test/support/s3-server.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { sql } from "../../../core/sql.ts";

describe("a CDN in front of the public bucket", () => {
  let s3: S3Server;
  let stack: Stack;
  beforeAll(async () => {
    s3 = await startS3Server();
    const cdnUrl = "https://cdn.example.com";
    stack = await testStack({ roles: ["api"], s3, config: { s3: { cdnUrl } } });
  });
  afterAll(async () => {
    await stack.stop();
    await s3.close();
  });

  it("serves public artifacts, except for getArtifact with the header that skips it", async () => {
    const { taskId, run, worker } = await runningTask(stack);
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    for (const name of ["public/x", "private/x"])
      await worker.queue.createArtifact({ ...run, name }, { storageType: "s3", expires, contentType: "a/b" });
    const redirectOf = async (path: string, skip?: string): Promise<string | null> => {
      const reply = await fetch(`${stack.rootUrl}/api/queue/v1/task/${taskId}${path}`, {
        redirect: "manual",
        headers: skip === undefined ? {} : { "x-taskcluster-skip-cdn": skip },
      });
      return reply.headers.get("location") ?? ((await reply.json()) as { url: string }).url;
    };
    const cdn = `https://cdn.example.com/${taskId}/0/public/x`;
    const bucketUrl = `${s3.endpoint}/public-artifacts/${taskId}/0/public/x`;
    expect(await redirectOf("/runs/0/artifacts/public/x")).toBe(cdn);
    for (const skip of ["true", "1"])
      expect(await redirectOf("/runs/0/artifacts/public/x", skip)).toBe(bucketUrl);
    for (const skip of ["", "false", "yes"])
      expect(await redirectOf("/runs/0/artifacts/public/x", skip)).toBe(cdn);
    for (const path of [
      "/artifacts/public/x",
      "/runs/0/artifact-content/public/x",
      "/artifact-content/public/x",
    ])
      expect(await redirectOf(path, "true")).toBe(cdn);
    const { url } = await stack.client.queue.getArtifact({ ...run, name: "private/x" });
    expect(url).toContain(`${s3.endpoint}/private-artifacts/${taskId}/0/private/x?X-Amz-`);
  });
});

describe.each(["local", "s3"] as const)("on the %s store", (kind) => {
  let s3: S3Server | undefined;
  let stack: Stack;
  beforeAll(async () => {
    if (kind === "s3") s3 = await startS3Server();
    // Artifacts can be removed as soon as they expire, and the loop runs only when a test runs it.
    stack = await testStack({
      manualLoops: true,
      config: { queue: { expiryDelay: 0 } },
      ...(s3 && { s3 }),
    });
  });
  afterAll(async () => {
    await stack.stop();
    await s3?.close();
  });

  const origin = "https://pages.example.com";
  const inHours = (n: number): string => new Date(Date.now() + n * 3_600_000).toISOString();
  /** Creates an artifact of type s3 and returns its upload URL. */
  async function create(
    { worker, run }: RunningTask,
    name: string,
    contentType = "text/plain",
  ): Promise<string> {
    const body = { storageType: "s3" as const, expires: inHours(1), contentType };
    const reply = await worker.queue.createArtifact({ ...run, name }, body);
    if (reply.storageType !== "s3") throw new Error("not the reply of an upload");
    return reply.putUrl;
  }
  const put = (url: string, body: string, contentType = "text/plain") =>
    fetch(url, { method: "PUT", body, headers: { "content-type": contentType, origin } });
  const urlOf = async ({ run }: RunningTask, name: string) =>
    (await stack.client.queue.getArtifact({ ...run, name })).url;

  it.each(["public/logs/a b.log", "private/secret", "../odd//name~"])(
    "%s can be uploaded and downloaded",
    async (name) => {
      const task = await runningTask(stack);
      const uploaded = await put(await create(task, name), `content of ${name}`);
      expect([uploaded.status, uploaded.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
      const reply = await fetch(await urlOf(task, name), { headers: { origin } });
      expect(await reply.text()).toBe(`content of ${name}`);
      expect(reply.headers.get("content-type")).toBe("text/plain");
      expect(reply.headers.get("access-control-allow-origin")).toBe("*");
      const range = await fetch(await urlOf(task, name), { headers: { range: "bytes=0-6" } });
      expect([range.status, await range.text()]).toEqual([206, "content"]);
    },
  );

  it("browsers may upload to the URL, according to the reply to their preflight request", async () => {
    const task = await runningTask(stack);
    const reply = await fetch(await create(task, "public/x"), {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type",
      },
    });
    expect(reply.ok).toBe(true);
    expect(reply.headers.get("access-control-allow-origin")).toBe("*");
    expect(reply.headers.get("access-control-allow-methods")).toContain("PUT");
  });

  it("an upload URL is bound to its content type, and can be requested again while the run is running", async () => {
    const task = await runningTask(stack);
    const first = await create(task, "x");
    expect((await put(first, "<script>", "text/html")).status).toBe(403);
    expect((await put(first, "one")).status).toBe(200);
    expect((await put(await create(task, "x"), "two")).status).toBe(200);
    expect(await (await fetch(await urlOf(task, "x"))).text()).toBe("two");
    await task.worker.queue.reportCompleted(task.run);
    await expect(create(task, "x")).rejects.toMatchObject({ code: "RequestConflict" });
  });

  it("an upload URL stops working with the run, except in S3, where no URL can be revoked", async () => {
    const task = await runningTask(stack);
    const { db } = stack.database;
    const url = await create(task, "x");
    const outcome = async () => {
      const reply = await put(url, "late");
      return kind === "s3"
        ? reply.status
        : [reply.status, ((await reply.json()) as { message: string }).message];
    };
    const refused = (why: string) =>
      kind === "s3"
        ? 200
        : [403, expect.stringMatching(new RegExp(`^This URL can no longer be used: ${why}`))];
    expect((await put(url, "one")).status).toBe(200);
    await task.worker.queue.reportException(task.run, { reason: "worker-shutdown" });
    // As createArtifact, for 25 minutes after an exception.
    expect((await put(url, "two")).status).toBe(200);
    await db.run(
      sql`update runs set resolved = resolved - interval '25 minutes' where task_id = ${task.taskId}`,
    );
    expect(await outcome()).toEqual(
      refused(
        `run 0 of task ${task.taskId} is exception since \\S+Z. Content of its artifacts can be uploaded only while it runs, ` +
          `and for 25 minutes after it ended in an exception. Nothing was stored. Rerun the task if artifact "x" is needed.`,
      ),
    );
    await db.run(sql`update runs set state = 'completed', resolved = now() where task_id = ${task.taskId}`);
    expect(await outcome()).toEqual(refused(`run 0 of task ${task.taskId} is completed since`));
    expect(await (await fetch(await urlOf(task, "x"))).text()).toBe(kind === "s3" ? "late" : "two");
    await db.run(sql`delete from artifacts where task_id = ${task.taskId}`);
    expect(await outcome()).toEqual(refused(`artifact "x" of run 0 of task ${task.taskId} has expired.`));
  });

  it("a name that is too long for the store is refused, and no row is written", async () => {
    const task = await runningTask(stack);
    const name = "x".repeat(1000);
    const expires = inHours(1);
    for (const storageType of ["s3", "object"] as const) {
      const body = { storageType, expires, contentType: "a/b" };
      const created = task.worker.queue.createArtifact({ ...task.run, name: `${storageType}-${name}` }, body);
      if (kind === "local") await created;
      else
        await expect(created).rejects.toMatchObject({
          code: "InputError",
          message: expect.stringContaining("is too long for the store: S3 keys have at most 1024 bytes"),
        });
    }
    const { artifacts } = await stack.client.queue.listArtifacts(task.run);
    expect(artifacts).toHaveLength(kind === "local" ? 2 : 0);
    expect(await stack.database.db.run(sql`select from objects`)).toBe(kind === "local" ? 1 : 0);
  });

  it("expired artifacts are removed with their bytes; a row whose bytes cannot be removed is retried", async () => {
    const task = await runningTask(stack);
    const names = ["public/a", "b", "public/c"];
    for (const name of names) await put(await create(task, name), name);
    const urls = await Promise.all(names.map((name) => urlOf(task, name)));
    await stack.database.db.run(
      sql`update artifacts set expires = now() - interval '1 hour' where task_id = ${task.taskId}`,
    );
    const rows = async () =>
      (await stack.client.queue.listArtifacts(task.run)).artifacts.map(({ name }) => name);
    const runExpiry = () => stack.runLoop("artifact-expiry");

    if (s3) {
      s3.intercept(({ method, url }) =>
        method === "POST" && url.pathname === "/public-artifacts" ? s3Error(403, "AccessDenied") : undefined,
      );
      await runExpiry();
      expect(await rows()).toEqual(["public/a", "public/c"]);
      expect(await Promise.all(urls.map(async (url) => (await fetch(url)).status))).toEqual([200, 404, 200]);
      s3.intercept(undefined);
    }
    await runExpiry();
    expect(await rows()).toEqual([]);
    expect(await Promise.all(urls.map(async (url) => (await fetch(url)).status))).toEqual([404, 404, 404]);
  });
});
