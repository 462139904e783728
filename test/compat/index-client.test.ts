// Taskcluster's client drives every method of the index service.
import { afterAll, beforeAll, expect, it } from "vitest";
import { taskDefinition } from "../support/factories.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { peer } from "./peer-client.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ consumers: true });
});
afterAll(() => stack.stop());

const options = () => ({ rootUrl: stack.rootUrl, credentials: stack.rootCredentials, retries: 0 });

it("the compatible client inserts, finds, lists and deletes entries", async () => {
  const index = new peer.Index(options());
  const entry = {
    taskId: peer.slugid(),
    rank: 1,
    data: { a: 1 },
    expires: peer.fromNow("1 hour").toISOString(),
  };
  const paths = ["pkg.a%b.x", "pkg.c.y", "pkg.z"];
  for (const namespace of paths)
    expect(await index.insertTask(namespace, entry)).toEqual({ namespace, ...entry });
  expect(await index.findTask("pkg.a%b.x")).toEqual({ namespace: "pkg.a%b.x", ...entry });
  const page = await index.listNamespaces("pkg", { limit: 1 });
  expect(page.namespaces).toMatchObject([{ namespace: "pkg.a%b", name: "a%b" }]);
  const { continuationToken } = page;
  expect(await index.listNamespaces("pkg", { continuationToken })).toMatchObject({
    namespaces: [{ name: "c" }],
  });
  expect(await index.listNamespaces("")).toMatchObject({ namespaces: [{ namespace: "pkg" }] });
  expect(await index.listTasks("pkg")).toEqual({ tasks: [{ namespace: "pkg.z", ...entry }] });
  expect(await index.listTasks("")).toEqual({ tasks: [] });
  const at = peer.createClient(
    (await (await fetch(`${stack.rootUrl}/references/index/v1/api.json`)).json()) as Parameters<
      typeof peer.createClient
    >[0],
    "Index",
  );
  const { tasks } = await (new at(options()) as unknown as typeof index).findTasksAtIndex({ indexes: paths });
  expect(tasks.map(({ namespace }) => namespace)).toEqual(["pkg.z", "pkg.a%b.x", "pkg.c.y"]);
  expect(await index.deleteTask("pkg.z")).toEqual({});
  expect(await index.deleteTask("pkg.z")).toEqual({});
  await expect(index.findTask("pkg.z")).rejects.toMatchObject({ statusCode: 404, code: "ResourceNotFound" });
  expect(await index.ping()).toMatchObject({ alive: true });
});

it("a task is found by its route once it has completed, with its artifact", async () => {
  const [queue, index] = [new peer.Queue(options()), new peer.Index(options())];
  const taskId = peer.slugid();
  const routes = ["index.routed.v2.latest"];
  await queue.createTask(taskId, taskDefinition({ taskQueueId: "test/routed", routes }));
  const { tasks } = await queue.claimWork("test/routed", { workerGroup: "g", workerId: "w", tasks: 1 });
  const worker = new peer.Queue({ ...options(), credentials: tasks[0]?.credentials ?? {} });
  await worker.createArtifact(taskId, 0, "private/a", {
    storageType: "reference",
    contentType: "text/plain",
    expires: peer.fromNow("1 hour").toISOString(),
    url: `${stack.rootUrl}/api/index/v1/ping`,
  });
  await expect(index.findTask("routed.v2.latest")).rejects.toMatchObject({ statusCode: 404 });
  await worker.reportCompleted(taskId, 0);
  const found = await until("the entry", () => index.findTask("routed.v2.latest").catch(() => undefined));
  expect(found).toMatchObject({ taskId, rank: 0, data: {} });
  const url = index.buildSignedUrl(index.findArtifactFromTask, "routed.v2.latest", "private/a");
  const reply = await fetch(url, { redirect: "manual" });
  expect([reply.status, reply.headers.get("location")]).toEqual([
    303,
    expect.stringContaining(`/api/queue/v1/task/${taskId}/artifacts/private/a?bewit=`),
  ]);
  expect(await (await fetch(url)).json()).toMatchObject({ alive: true });
});

it("tasks of the built-in queue are indexed too", async () => {
  const [queue, index] = [new peer.Queue(options()), new peer.Index(options())];
  const taskId = peer.slugid();
  const extra = { index: { rank: 3 } };
  const routes = ["index.built-in.latest"];
  await queue.createTask(taskId, taskDefinition({ taskQueueId: "built-in/succeed", routes, extra }));
  const found = await until("the entry", () => index.findTask("built-in.latest").catch(() => undefined));
  expect(found).toMatchObject({ taskId, rank: 3 });
});
