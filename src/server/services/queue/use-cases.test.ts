// Use cases in the process, without HTTP, as another service runs them for a caller with limited scopes.
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { taskDefinition } from "../../../../test/support/factories.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { queueEvents, summarize } from "../../../../test/support/queue-events.ts";
import { makeTemporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { testKey } from "../../../../test/support/test-key.ts";
import { systemClock } from "../../../lib/clock.ts";
import { compileScopes } from "../../../lib/scopes/scope-set.ts";
import { slugid } from "../../../lib/slugid.ts";
import { configOf } from "../../config/index.ts";
import { callerWith } from "../../core/caller.ts";
import { parseJson } from "../../core/json.ts";
import { createLifecycle, type Lifecycle } from "../../core/lifecycle.ts";
import { declareMetrics } from "../../core/metrics.ts";
import { serviceClient } from "../../core/service-client.ts";
import { openPlatform } from "../../platform.ts";
import { objectService } from "../object/index.ts";
import { queueService, type Queue } from "./index.ts";

let database: TestDatabase;
let lifecycle: Lifecycle;
let queue: Queue;
let folder = "";
beforeAll(async () => {
  folder = await makeTemporaryFolder();
  database = await testDatabase();
  const { monitor } = testMonitor();
  const clock = systemClock;
  lifecycle = createLifecycle({ clock, log: monitor.log, stopTimeoutMs: 10_000 });
  const secrets = { rootAccessToken: "unused", secret: "test-secret-0123456789-0123456789" };
  const config = configOf({ artifacts: { dir: folder } });
  const opened = await openPlatform({
    config,
    databaseUrl: database.url,
    secrets,
    keySource: { keys: [testKey] },
    encrypted: [],
    monitor,
    clock,
    checked: true,
    lifecycle,
  });
  const platform = {
    ...opened,
    config,
    clock,
    secrets,
    monitor,
    rootUrl: () => "http://localhost",
    serviceClients: [],
    contracts: [],
  };
  const objects = objectService.create({ ...platform, metrics: {}, client: undefined }, {});
  const { client } = queueService;
  if (!client) throw new Error("the queue declares a client");
  const service = queueService.create(
    {
      ...platform,
      metrics: declareMetrics(monitor.metrics.registry, queueService.metrics),
      client: serviceClient(client, secrets.secret),
    },
    { object: objects.provides },
  );
  lifecycle.add("queue", async () => service.stop?.());
  queue = service.provides;
});
afterAll(async () => {
  await lifecycle.stop("the tests are over");
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const hooks = callerWith({
  clientId: "hooks",
  scopes: compileScopes([
    "queue:create-task:project:none",
    "queue:scheduler-id:hooks",
    "queue:create-task:lowest:test/queue",
    "queue:cancel-task:hooks/*",
    "queue:rerun-task:hooks/*",
  ]),
});
const definition = (more = {}) => taskDefinition({ schedulerId: "hooks", ...more });
const storyOf = async (taskId: string) => summarize(await queueEvents(database.db, { taskId }));

describe("a service with the scopes of a caller", () => {
  it("creates, cancels and reruns a task", async () => {
    const taskId = slugid();
    const created = parseJson(await queue.createTask(hooks, taskId, definition()));
    expect(created).toMatchObject({ taskId, schedulerId: "hooks", state: "pending" });
    expect(parseJson(await queue.cancelTask(hooks, taskId))).toMatchObject({
      state: "exception",
      runs: [{ reasonResolved: "canceled" }],
    });
    expect(parseJson(await queue.rerunTask(hooks, taskId)).runs).toMatchObject([
      { state: "exception" },
      { state: "pending", reasonCreated: "rerun" },
    ]);
    expect(await storyOf(taskId)).toEqual([
      "task-defined",
      "task-pending 0",
      "task-exception 0",
      "task-pending 1",
    ]);
  });

  it("is refused what these scopes do not satisfy, before anything is written", async () => {
    const taskId = slugid();
    await expect(queue.createTask(hooks, taskId, definition({ scopes: ["secret"] }))).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining(
        "Client ID hooks does not have sufficient scopes and is missing the following scopes:\n\n```\nsecret\n```",
      ),
    });
    expect(await storyOf(taskId)).toEqual([]);
    await expect(queue.status(hooks, taskId)).rejects.toMatchObject({ code: "InsufficientScopes" });

    await queue.createTask(hooks, taskId, definition());
    const nobody = callerWith({ clientId: undefined, scopes: compileScopes([]) });
    await expect(queue.cancelTask(nobody, taskId)).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining("requires Taskcluster credentials"),
    });
    expect(await storyOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
  });
});
