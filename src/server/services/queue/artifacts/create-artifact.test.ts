import Type from "typebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { runningTask, type RunningTask } from "../../../../../test/support/running-task.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { CreateArtifactRequest } from "../../../../api/queue/artifacts.ts";
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
const s3 = (expires = inMinutes(60), contentType = "text/plain") => ({
  storageType: "s3" as const,
  expires,
  contentType,
});
const reference = (url: string, expires = inMinutes(60)) => ({
  storageType: "reference" as const,
  expires,
  contentType: "text/plain",
  url,
});
const create = ({ worker, run }: RunningTask, name: string, body: CreateArtifactRequest) =>
  worker.queue.createArtifact({ ...run, name }, body);

/** Returns the events of a task's artifacts, in the order of the log. */
const artifactEvents = async (taskId: string) =>
  (
    await stack.database.db.many(
      Type.Object({ routing_key: Type.String(), cc: Type.Array(Type.String()), payload: Type.String() }),
      sql`
      select routing_key, cc, payload from events
      where exchange = 'exchange/taskcluster-queue/v1/artifact-created'
        and routing_key like ${`primary.${taskId}.%`}
      order by id`,
    )
  ).map(({ payload, ...row }) => ({ ...row, message: JSON.parse(payload) as Record<string, unknown> }));

describe("an artifact of type s3", () => {
  it("returns an upload URL that is valid for a little over 45 minutes, and publishes no event", async () => {
    const task = await running();
    const reply = await create(task, "public/a b.txt", { ...s3(), contentLength: 5 });
    if (reply.storageType !== "s3") throw new Error("not the reply of an upload");
    expect(reply).toEqual({
      storageType: "s3",
      contentType: "text/plain",
      expires: inMinutes(45),
      putUrl: expect.stringContaining(
        `${stack.rootUrl}/artifact-store/${task.taskId}/0/public/a%20b.txt?content-type=text%2Fplain&expires=${(clock.now() + 45 * minute + 10_000) / 1000}&signature=`,
      ),
    });
    const put = { method: "PUT", body: "hello", headers: { "content-type": "text/plain" } };
    expect((await fetch(reply.putUrl, put)).status).toBe(200);
    const { url } = await stack.client.queue.getArtifact({ ...task.run, name: "public/a b.txt" });
    expect(await (await fetch(url)).text()).toBe("hello");
    expect(await artifactEvents(task.taskId)).toEqual([]);
  });

  it("may be created again with a later expiry, and keeps its first length", async () => {
    const task = await running();
    await create(task, "x", { ...s3(inMinutes(10)), contentLength: 5 });
    await create(task, "x", { ...s3(inMinutes(20)), contentLength: 6 });
    expect(await stack.client.queue.artifactInfo({ ...task.run, name: "x" })).toEqual({
      storageType: "s3",
      name: "x",
      expires: inMinutes(20),
      contentType: "text/plain",
      contentLength: 5,
    });
  });
});

describe("a reference, a link and an error", () => {
  it("are published each time, with the task's status and routes, but not its tags", async () => {
    const task = await runningTask(stack, { routes: ["a.route"], tags: { kind: "test" } }, clock.now());
    const name = 'public/"quoted" \\name';
    expect(await create(task, name, reference("https://example.com/1"))).toEqual({
      storageType: "reference",
    });
    await create(task, "e", {
      storageType: "error",
      expires: inMinutes(9),
      reason: "too-large-file-on-worker",
      message: "big",
    });
    await create(task, name, { storageType: "link", expires: inMinutes(60), artifact: "public/other" });

    const events = await artifactEvents(task.taskId);
    const { status } = await stack.client.queue.status({ taskId: task.taskId });
    const [provisionerId, workerType] = status.taskQueueId.split("/");
    expect(events.map(({ message }) => message["artifact"])).toEqual([
      { storageType: "reference", name, expires: inMinutes(60), contentType: "text/plain" },
      { storageType: "error", name: "e", expires: inMinutes(9), contentType: "application/binary" },
      // A link replaces a reference, and keeps its content type.
      { storageType: "link", name, expires: inMinutes(60), contentType: "text/plain" },
    ]);
    for (const event of events) {
      expect(event.routing_key).toBe(
        `primary.${task.taskId}.0.group.worker.${provisionerId}.${workerType}.-.${task.taskId}._`,
      );
      expect(event.cc).toEqual(["a.route"]);
      const artifact: unknown = expect.anything();
      const message = { status, runId: 0, workerGroup: "group", workerId: "worker", artifact, version: 1 };
      expect(event.message).toEqual(message);
    }
  });

  it.each([
    "javascript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,x",
    "ftp://example.com/x",
    "https://",
  ])("are refused if a reference leads to %s", async (url) => {
    await expect(create(await running(), "unsafe", reference(url))).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining("url must be a URL that starts with https:// or http://"),
    });
  });

  it("allow a reference to change its URL repeatedly", async () => {
    const task = await running();
    for (const n of [1, 2, 3]) await create(task, "log", reference(`https://example.com/${n}`));
    expect(await stack.client.queue.artifact({ ...task.run, name: "log" })).toEqual({
      storageType: "reference",
      url: "https://example.com/3",
    });
    expect(await artifactEvents(task.taskId)).toHaveLength(3);
  });

  it("are published before the resolution of their run, or refused, if both happen concurrently", async () => {
    let publishedCount = 0;
    for (let iteration = 0; iteration < 8; iteration++) {
      const task = await running();
      const calls = [1, 2, 3].map((n) => create(task, `log-${n}`, reference("https://example.com/")));
      const report = task.worker.queue.reportCompleted(task.run);
      const late = [4, 5, 6].map((n) => create(task, `log-${n}`, reference("https://example.com/")));
      const created = (await Promise.allSettled([...calls, ...late])).filter((c) => c.status === "fulfilled");
      await report;
      const events = await stack.database.db.many(
        Type.Object({ exchange: Type.String(), state: Type.String() }),
        sql`
        select exchange, payload::json #>> '{status,state}' as state from events
        where routing_key like ${`primary.${task.taskId}.0.%`} order by id`,
      );
      const ofRun = events.map(({ exchange, state }) => `${exchange.replace(/.*\//, "")}: ${state}`);
      expect(ofRun).toEqual([
        "task-pending: pending",
        "task-running: running",
        ...created.map(() => "artifact-created: running"),
        "task-completed: completed",
      ]);
      publishedCount += created.length;
    }
    expect(publishedCount).toBeGreaterThan(0);
  });
});

describe("an artifact is refused as a conflict", () => {
  const changes: [string, CreateArtifactRequest, CreateArtifactRequest][] = [
    ["another content type", s3(), s3(inMinutes(60), "text/html")],
    ["an earlier expiry", s3(), s3(inMinutes(59))],
    ["another storage type", s3(), reference("https://example.com/")],
    ["an upload in place of a reference", reference("https://example.com/"), s3()],
    [
      "another target of a link",
      { storageType: "link", expires: inMinutes(60), artifact: "a" },
      { storageType: "link", expires: inMinutes(60), artifact: "b" },
    ],
    [
      "another message of an error",
      { storageType: "error", expires: inMinutes(60), reason: "file-missing-on-worker", message: "a" },
      { storageType: "error", expires: inMinutes(60), reason: "file-missing-on-worker", message: "b" },
    ],
  ];
  it.each(changes)("with %s than before", async (_what, first, second) => {
    const task = await running();
    await create(task, "x", first);
    const before = (await artifactEvents(task.taskId)).length;
    await expect(create(task, "x", second)).rejects.toMatchObject({
      code: "RequestConflict",
      statusCode: 409,
      message: expect.stringContaining(
        `Artifact "x" of run 0 of task ${task.taskId} exists already as ${first.storageType} of type`,
      ),
    });
    expect(await artifactEvents(task.taskId)).toHaveLength(before);
  });

  it("after its run was completed, and 25 minutes after it was resolved as an exception", async () => {
    const completed = await running();
    await completed.worker.queue.reportCompleted(completed.run);
    await expect(create(completed, "x", s3())).rejects.toMatchObject({
      code: "RequestConflict",
      message: expect.stringMatching(
        /Run 0 of task \S+ is not running: .* 25 minutes after .*"state": "completed"/s,
      ),
    });

    const lost = await runningTask(stack, { retries: 0 }, clock.now());
    await lost.worker.queue.reportException(lost.run, { reason: "worker-shutdown" });
    await clock.advance(25 * minute - 1);
    expect(await stack.client.queue.createArtifact({ ...lost.run, name: "log" }, s3())).toMatchObject({
      storageType: "s3",
    });
    await clock.advance(1);
    await expect(stack.client.queue.createArtifact({ ...lost.run, name: "log" }, s3())).rejects.toMatchObject(
      { code: "RequestConflict" },
    );
  });
});

describe("an artifact is refused as invalid", () => {
  const expectRefused = async (
    task: RunningTask,
    name: string,
    body: CreateArtifactRequest,
    message: string,
  ) => {
    await expect(stack.client.queue.createArtifact({ ...task.run, name }, body)).rejects.toMatchObject({
      code: "InputError",
      statusCode: 400,
      message: expect.stringContaining(message),
    });
  };

  it("if it expires in the past or after the task", async () => {
    const task = await running();
    await expectRefused(task, "x", s3(inMinutes(-16)), "cannot be in the past; it is 2026-06-01T");
    expect(await create(task, "y", s3(inMinutes(-14)))).toMatchObject({ storageType: "s3" });
    await expectRefused(
      task,
      "x",
      s3(inMinutes(24 * 60 + 1)),
      "must not be after the task expires (2026-06-02T",
    );
  });

  it("if its task or run does not exist, or the run was never claimed", async () => {
    const task = await running();
    const missing = slugid();
    const of = (taskId: string, runId: string) => ({ ...task, run: { taskId, runId } });
    await expectRefused(of(missing, "0"), "x", s3(), `Task ${missing} does not exist`);
    await expectRefused(of(task.taskId, "1"), "x", s3(), `Task ${task.taskId} has no run 1`);
    await expectRefused(of(task.taskId, "99999999999"), "x", s3(), "has no run 32767");
    const pending = await createTask(stack.client, {}, clock.now());
    await expectRefused(of(pending, "0"), "x", s3(), `Run 0 of task ${pending} was never claimed`);
  });

  it("if it could not be served: a name that is too long, a content type that no header can carry, a huge length", async () => {
    const task = await running();
    await expectRefused(task, "x".repeat(1025), s3(), "has 1025 characters; the limit is 1024");
    await expectRefused(
      task,
      "x",
      s3(inMinutes(60), "text/plain\r\nx: y"),
      "has characters that are not allowed in a Content-Type header",
    );
    await expectRefused(
      task,
      "x",
      { ...s3(), contentLength: 1e300 },
      "contentLength (1e+300) is too large for a number of bytes",
    );
    await expectRefused(
      task,
      "x",
      { storageType: "link", expires: inMinutes(9), artifact: "a\0b" },
      "must be printable ASCII",
    );
    expect(await create(task, "x".repeat(1024), s3())).toMatchObject({ storageType: "s3" });
  });
});

describe("an artifact may be created", () => {
  it("by the worker that has claimed the run, not by another worker or an anonymous caller", async () => {
    const [one, other] = [await running(), await running()];
    const missing = `queue:create-artifact:${one.taskId}/0`;
    const byOther = other.worker.queue.createArtifact({ ...one.run, name: "x" }, s3());
    await expect(byOther).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining(missing),
    });
    const byAnonymous = stack.as(undefined).queue.createArtifact({ ...one.run, name: "x" }, s3());
    await expect(byAnonymous).rejects.toMatchObject({ code: "InsufficientScopes" });
  });
});
