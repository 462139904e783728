// findArtifactFromTask: redirects to an artifact.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import { rawCall } from "../../../../test/support/raw-call.ts";
import { runningTask } from "../../../../test/support/running-task.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { slugid } from "../../../lib/slugid.ts";

const minute = 60_000;
// The local store checks its URLs by the system clock.
const clock = manualClock(Date.now());
let stack: Stack;
let taskId = "";
beforeAll(async () => {
  stack = await testStack({ clock, manualLoops: true, config: { access: "results" } });
  const task = await runningTask(stack, {}, clock.now());
  ({ taskId } = task);
  const create = (name: string, body: object) =>
    task.worker.queue.createArtifact({ ...task.run, name }, {
      expires: new Date(clock.now() + 60 * minute).toISOString(),
      ...body,
    } as Parameters<typeof task.worker.queue.createArtifact>[1]);
  for (const name of ["public/a b", "private/a b"])
    await create(name, {
      contentType: "text/plain",
      storageType: "reference",
      url: `https://example.com/${encodeURIComponent(name)}`,
    });
  await create("private/link", { contentType: "text/plain", storageType: "link", artifact: "private/a b" });
  await create("public/error", { storageType: "error", reason: "file-missing-on-worker", message: "x" });
  for (const [path, id] of [
    ["a.b", taskId],
    ["a.gone", slugid()],
  ] as const)
    await stack.client.index.insertTask(
      { namespace: path },
      { taskId: id, rank: 0, data: {}, expires: new Date(clock.now() + 60 * minute).toISOString() },
    );
});
afterAll(() => stack.stop());

const get = (name: string, { path = "a.b", scopes = [`queue:get-artifact:${name}`] } = {}) =>
  rawCall(stack.rootUrl, {
    method: "GET",
    path: `/api/index/v1/task/${path}/artifacts/${name.split("/").map(encodeURIComponent).join("/")}`,
    credentials: stack.rootCredentials,
    authorizedScopes: scopes,
    now: clock.now(),
  });
async function locationOf(...args: Parameters<typeof get>): Promise<string> {
  const { status, headers, body } = await get(...args);
  const location = headers.get("location") ?? "";
  expect([status, body]).toEqual([303, { url: location }]);
  return location;
}
const follow = (url: string) => fetch(url, { redirect: "manual" });

describe("an artifact that everybody may read", () => {
  it("has a redirect to its content", async () => {
    expect(await locationOf("public/a b")).toBe("https://example.com/public%2Fa%20b");
    expect(await locationOf("public/a b", { scopes: [] })).toBe("https://example.com/public%2Fa%20b");
  });

  it.each([
    ["public/missing", 404],
    ["public/error", 424],
  ])("without content has a redirect to the queue, which explains it: %s", async (name, status) => {
    const url = await locationOf(name);
    expect(url).toBe(`${stack.rootUrl}/api/queue/v1/task/${taskId}/artifacts/${name}`);
    expect((await follow(url)).status).toBe(status);
  });
});

describe("another artifact", () => {
  it("has a redirect to a signed URL of the queue, which is valid for 15 minutes", async () => {
    const url = await locationOf("private/a b");
    expect(url).toContain(`${stack.rootUrl}/api/queue/v1/task/${taskId}/artifacts/private/a%20b?bewit=`);
    const reply = await follow(url);
    expect([reply.status, reply.headers.get("location")]).toEqual([
      303,
      "https://example.com/private%2Fa%20b",
    ]);
    await clock.advance(15 * minute - 1000);
    expect((await follow(url)).status).toBe(303);
    await clock.advance(1001);
    expect((await follow(url)).status).toBe(401);
  });

  it("has a URL that is limited to its name, so that a link opens nothing else", async () => {
    const url = await locationOf("private/link");
    expect((await follow(url)).status).toBe(403);
  });

  it("requires its scope, also if nothing is indexed", async () => {
    for (const path of ["a.b", "a.missing"]) {
      const { status, message } = await get("private/a b", {
        path,
        scopes: ["queue:get-artifact:private/b"],
      });
      expect([status, message]).toEqual([403, expect.stringContaining("queue:get-artifact:private/a b")]);
    }
  });

  it("with a name that is too long for a signed URL is refused", async () => {
    const { status, message } = await get(`private${" ".repeat(1200)}`);
    expect([status, message]).toEqual([400, expect.stringContaining("The signed URL would have more than")]);
  });
});

it("nothing is found at a path without an entry, and a task that is gone is the queue's matter", async () => {
  expect((await get("public/a b", { path: "a.missing" })).status).toBe(404);
  const url = await locationOf("public/a b", { path: "a.gone" });
  expect((await follow(url)).status).toBe(404);
});
