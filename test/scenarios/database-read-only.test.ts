// The database becomes read-only, as in a fail-over to a standby, and accepts writes again some time later.
import { expect, onTestFinished, test } from "vitest";
import { queueEvents } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { sql } from "../../src/server/core/sql.ts";
import { setReadOnly } from "../support/databases.ts";
import { createTask, taskDefinition } from "../support/factories.ts";
import { rawCall } from "../support/raw-call.ts";
import { testStack } from "../support/stack.ts";
import { eventually } from "../support/until.ts";

test("while the database is read-only, changes get a 503 and reads go on; then all recovers by itself", async () => {
  const stack = await testStack({ config: { queue: { loopInterval: 50, workerSeenInterval: 1 } } });
  onTestFinished(() => stack.stop());
  const { client, rootUrl, rootCredentials: credentials, database, records } = stack;
  const before = await createTask(client);
  const received: string[] = [];
  const ended = new AbortController();
  const stream = await client.events.listen([queueEvents.taskPending()], { signal: ended.signal });
  const listening = (async () => {
    for await (const { payload } of stream)
      received.push((payload as { status: { taskId: string } }).status.taskId);
  })();
  onTestFinished(() => {
    ended.abort();
    return listening;
  });

  await setReadOnly(database.url, true);
  // As the servers of a fail-over do. The connections of afterwards are read-only until they end.
  await database.db.run(sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`);

  const create = (taskId = slugid()) =>
    rawCall(rootUrl, {
      method: "PUT",
      path: `/api/queue/v1/task/${taskId}`,
      body: JSON.stringify(taskDefinition()),
      credentials,
    });
  const refused = await eventually(async () => {
    const reply = await create();
    expect(reply.message).toMatch(/^The database is read-only at the moment/);
    return reply;
  });
  expect(refused).toMatchObject({ status: 503, code: "ServiceUnavailable" });
  expect(refused.headers.get("retry-after")).toBe("5");
  const get = (path: string) => rawCall(rootUrl, { method: "GET", path, credentials });
  expect(await client.queue.status({ taskId: before })).toMatchObject({ status: { state: "pending" } });
  expect((await get("/api/queue/v1/ping")).status).toBe(200);
  for (const path of ["/api/queue/v1/__heartbeat__", "/__heartbeat__"])
    await eventually(async () =>
      expect(await get(path)).toMatchObject({ status: 503, code: "ServiceUnavailable" }),
    );
  const home = await fetch(rootUrl, { headers: { accept: "text/html" } });
  expect(await home.text()).toContain("is read-only: nothing can be changed until it accepts writes");
  // A claim, whose worker is recorded in the background, and the loops.
  const claim = await rawCall(rootUrl, {
    method: "POST",
    path: "/api/queue/v1/claim-work/test%2Fqueue",
    body: JSON.stringify({ tasks: 1, workerGroup: "group", workerId: "worker" }),
    credentials,
  });
  expect(claim.status).toBe(503);
  await eventually(() =>
    expect(records).toContainEqual(expect.objectContaining({ failures: 1, level: "warn" })),
  );

  await setReadOnly(database.url, false);
  const after = slugid();
  await eventually(async () => expect(await create(after)).toMatchObject({ status: 200 }));
  await Promise.all(
    Array.from({ length: 20 }, async () => expect(await create()).toMatchObject({ status: 200 })),
  );
  await eventually(async () => expect(await get("/__heartbeat__")).toMatchObject({ status: 200 }));
  await eventually(() => expect(received).toContain(after));
  for (const loop of Object.values(stack.server.loops)) await loop.idle();
  expect(records.filter((record) => "incidentId" in record)).toEqual([]);
});
