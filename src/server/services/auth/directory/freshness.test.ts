// How soon processes obey changes of clients and roles, with two servers on one database.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { databaseProxy, type DatabaseProxy } from "../../../../../test/support/database-proxy.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { twoServers, type TwoServers } from "../../../../../test/support/two-servers.ts";
import { eventually, until } from "../../../../../test/support/until.ts";
import type { Client } from "../../../../client/index.ts";
import { createSigner } from "../../../../client/signer.ts";
import { sql } from "../../../core/sql.ts";

const request = (scopes: readonly string[], expiresInMs = 3_600_000) => ({
  expires: new Date(Date.now() + expiresInMs).toISOString(),
  description: "",
  scopes: [...scopes],
});
let count = 0;
const newId = (): string => `fresh/client-${count++}`;

/** Resolves with the milliseconds until the condition holds. */
async function delayUntil(what: string, holds: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  await until(what, holds, 10_000);
  return performance.now() - began;
}
const isRefused = (client: Client) => (): Promise<boolean> =>
  client.auth.currentScopes().then(
    () => false,
    (err: { code?: string }) => err.code === "AuthenticationFailed",
  );

let servers: TwoServers;
beforeAll(async () => {
  servers = await twoServers({ queue: { claimWorkTimeout: 20_000 } });
});
afterAll(() => servers.stop());

describe("two servers", () => {
  test("obey a change that the other one made within a second", async () => {
    const { stack, other } = servers;
    const roleId = "fresh-role";
    const made = await stack.client.auth.createClient({ clientId: newId() }, request([`assume:${roleId}`]));
    const there = other.as(made);
    const has = (scope: string) => async (): Promise<boolean> =>
      (await there.auth.currentScopes().catch(() => ({ scopes: [] as string[] }))).scopes.includes(scope);
    const delays = [await delayUntil("the client is known", has(`assume:${roleId}`))];
    for (const scope of ["one", "two", "three"]) {
      const role = { scopes: [scope], description: "" };
      if (scope === "one") await stack.client.auth.createRole({ roleId }, role);
      else await stack.client.auth.updateRole({ roleId }, role);
      delays.push(await delayUntil(`the role grants ${scope}`, has(scope)));
    }
    await stack.client.auth.disableClient(made);
    delays.push(await delayUntil("the client is refused", isRefused(there)));
    expect(Math.max(...delays)).toBeLessThan(1_000);
  });

  test("obey it although no wake-up arrives", async () => {
    const { stack, other } = servers;
    const made = await stack.client.auth.createClient({ clientId: newId() }, request([]));
    await until("the client is known", async () => !(await isRefused(other.as(made))()));
    // Not a statement of this server, so it wakes none.
    await stack.database.db.run(sql`
      with changed as (update clients set disabled = true where client_id = ${made.clientId})
      insert into events (exchange, routing_key, payload) values
        ('exchange/taskcluster-auth/v1/client-updated', '_', ${JSON.stringify({ version: 1, clientId: made.clientId })})`);
    expect(await delayUntil("the client is refused", isRefused(other.as(made)))).toBeLessThan(1_000);
  });

  test("make concurrent changes of roles one after the other", async () => {
    const { stack, other } = servers;
    const [a, b] = [{ roleId: "pair-a" }, { roleId: "pair-b" }];
    for (const role of [a, b]) await stack.client.auth.createRole(role, { scopes: [], description: "" });
    for (let i = 0; i < 5; i++) {
      const results = await Promise.allSettled([
        stack.client.auth.updateRole(a, { scopes: ["assume:pair-b"], description: "" }),
        other.client.auth.updateRole(b, { scopes: ["assume:pair-a"], description: "" }),
      ]);
      // One of them would close a cycle.
      expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      for (const role of [a, b]) await stack.client.auth.updateRole(role, { scopes: [], description: "" });
    }
    const ids = Array.from({ length: 10 }, (_, i) => `many-${i}`);
    await Promise.all(
      ids.map((roleId, i) =>
        (i % 2 === 0 ? stack : other).client.auth.createRole({ roleId }, { scopes: ["x"], description: "" }),
      ),
    );
    const { roleIds } = await stack.client.auth.listRoleIds();
    expect(roleIds).toEqual(expect.arrayContaining(ids));
  });
});

describe("waiting calls and streams", () => {
  const scopes = ["queue:claim-work:fresh/*", "queue:worker-id:g/*", "events:listen"];
  const claim = (client: Client) =>
    client.queue.claimWork({ taskQueueId: "fresh/queue" }, { workerGroup: "g", workerId: "w", tasks: 1 });
  /** Waits for work, and resolves with the milliseconds that this took after `end` was called. */
  async function waitOf(client: Client, end: () => Promise<unknown>): Promise<number> {
    const waiting = claim(client);
    // It is waiting long before three calls after it have their replies.
    for (let i = 0; i < 3; i++) await client.auth.currentScopes();
    const began = performance.now();
    await end();
    expect((await waiting).tasks).toEqual([]);
    return performance.now() - began;
  }

  test.each([
    ["disabled", (root: Client, clientId: string) => root.auth.disableClient({ clientId })],
    ["deleted", (root: Client, clientId: string) => root.auth.deleteClient({ clientId })],
    ["given another token", (root: Client, clientId: string) => root.auth.resetAccessToken({ clientId })],
  ])("end when their client is %s", async (_, end) => {
    const { stack } = servers;
    const clientId = newId();
    const client = stack.as(await stack.client.auth.createClient({ clientId }, request(scopes)));
    expect(await waitOf(client, () => end(stack.client, clientId))).toBeLessThan(1_000);
  });

  test("end when their client expires", async () => {
    const { stack } = servers;
    const made = await stack.client.auth.createClient({ clientId: newId() }, request(scopes));
    const waited = await waitOf(stack.as(made), () =>
      stack.client.auth.updateClient(made, request(scopes, 300)),
    );
    expect(waited).toBeGreaterThan(250);
    expect(waited).toBeLessThan(1_300);
  });

  test("end for a stream of events, and stay for other clients", async () => {
    const { stack } = servers;
    const [gone, stays] = await Promise.all(
      [newId(), newId()].map((clientId) => stack.client.auth.createClient({ clientId }, request(scopes))),
    );
    if (!gone || !stays) throw new Error("both clients were created");
    const bindings = JSON.stringify({
      bindings: [{ exchange: "exchange/taskcluster-queue/v1/task-failed", routingKeyPattern: "#" }],
    });
    const open = async (of: typeof gone) => {
      const url = `${stack.rootUrl}/api/events/v1/connect?bindings=${encodeURIComponent(bindings)}`;
      const reply = await fetch(await stack.as(of).buildSignedUrl(url));
      const reader = reply.body?.getReader();
      if (!reader) throw new Error(`no stream: ${reply.status}`);
      await reader.read();
      return reader;
    };
    const [ending, staying] = [await open(gone), await open(stays)];
    const ended = (async () => {
      for (;;) if ((await ending.read()).done) return performance.now();
    })();
    const began = performance.now();
    await stack.client.auth.disableClient(gone);
    expect((await ended) - began).toBeLessThan(1_000);
    const next = staying.read().then(() => "ended");
    expect(await Promise.race([next, stack.client.auth.currentScopes().then(() => "open")])).toBe("open");
    await staying.cancel();
  });
});

test("lastDateUsed is written within three seconds, and publishes nothing", async () => {
  const { stack } = servers;
  const create = () =>
    stack.client.auth.createClient({ clientId: newId() }, request(["auth:current-scopes"]));
  const [caller, named] = [await create(), await create()];
  const position = await stack.server.events.positionNow();
  await until("the clock to advance", async () => Date.now() > Date.parse(named.created) + 5);
  await stack.as(caller).auth.currentScopes();
  // As another service does for a request that it received.
  await stack.as(undefined).auth.authenticateHawk({
    method: "get",
    resource: "/",
    host: "example.com",
    port: 443,
    authorization: await createSigner(named).header("GET", "https://example.com/", Date.now()),
  });
  for (const made of [caller, named]) {
    const delay = await delayUntil(
      "the time of use",
      async () => (await stack.client.auth.client(made)).lastDateUsed > made.created,
    );
    expect(delay).toBeLessThan(3_000);
  }
  expect((await stack.server.events.read(position, 10)).events).toEqual([]);
});

describe("a server that cannot reach its database", () => {
  let stack: Stack;
  let proxy: DatabaseProxy;
  let direct: TestDatabase;
  beforeAll(async () => {
    direct = await testDatabase();
    proxy = await databaseProxy(direct.url);
    stack = await testStack({ database: { ...direct, url: proxy.url } });
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await stack.stop();
    await proxy.close();
    await direct.drop();
  });

  test("loads everything after it was cut off, also what no event named", async () => {
    const made = await stack.client.auth.createClient({ clientId: newId() }, request([]));
    await stack.as(made).auth.currentScopes();
    await direct.db.run(sql`update clients set disabled = true where client_id = ${made.clientId}`);
    proxy.cut();
    await until("the client is refused", isRefused(stack.as(made)));
    await direct.db.run(sql`update clients set disabled = false where client_id = ${made.clientId}`);
    proxy.cut();
    await until("the client is accepted", async () => !(await isRefused(stack.as(made))()));
    expect(await stack.client.auth.client(made)).toMatchObject({ disabled: false });
  });

  test("loads everything if the events after its position were dropped", async () => {
    const made = await stack.client.auth.createClient({ clientId: newId() }, request([]));
    await stack.as(made).auth.currentScopes();
    await direct.db.run(sql`
      with changed as (update clients set disabled = true where client_id = ${made.clientId}),
        later as (insert into events (exchange, routing_key, payload) values ('x', '_', '{}') returning id)
      update event_log set dropped_through = (select id from later)`);
    await until("the client is refused", isRefused(stack.as(made)));
    expect(stack.records).toContainEqual(
      expect.objectContaining({ msg: "events of clients and roles were missed; loading all of them" }),
    );
  });

  test("makes a change of a role or does not, whenever its connections are cut", async () => {
    const roleId = "cut";
    await stack.client.auth.createRole({ roleId }, { scopes: ["v0"], description: "" });
    for (let i = 1; i <= 10; i++) {
      const update = () => stack.client.auth.updateRole({ roleId }, { scopes: [`v${i}`], description: "" });
      const first = update().catch((err: { code?: string }) => err);
      for (let turns = 0; turns < i; turns++) await new Promise((resolve) => setImmediate(resolve));
      proxy.cut();
      const result = await first;
      if ("code" in result) expect(result.code).toBe("ServiceUnavailable");
      const stored = await eventually(() => stack.client.auth.role({ roleId }));
      expect([`v${i - 1}`, `v${i}`]).toContain(stored.scopes[0]);
      // A repeat has the same result as the first call would have had.
      await eventually(update);
      const { scopes } = await eventually(() =>
        stack.client.auth.expandScopes({ scopes: [`assume:${roleId}`] }),
      );
      expect(scopes).toEqual([`assume:${roleId}`, `v${i}`]);
    }
  });

  test("refuses signed requests after a minute, and accepts them again", async () => {
    proxy.freeze();
    const later = performance.now() + 61_000;
    vi.spyOn(performance, "now").mockReturnValue(later);
    try {
      await expect(stack.client.auth.currentScopes()).rejects.toMatchObject({
        code: "ServiceUnavailable",
        message: expect.stringContaining("could not read changes of clients and roles for a minute"),
      });
      // Without a signature, nothing depends on a client.
      expect(await stack.as(undefined).auth.currentScopes()).toMatchObject({ scopes: expect.any(Array) });
    } finally {
      vi.restoreAllMocks();
      proxy.thaw();
    }
    await eventually(() => stack.client.auth.currentScopes());
  });
});
