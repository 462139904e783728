import Type from "typebox";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { rawCall } from "../../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { storedTexts } from "../../../../../test/support/stored-texts.ts";
import { sql } from "../../../core/sql.ts";

const minute = 60_000;
const clock = manualClock(Date.UTC(2026, 5, 1));
const inAnHour = (): string => new Date(clock.now() + 60 * minute).toISOString();
const tool = { clientId: "static/tool", accessToken: "the-token-of-the-static-tool", scopes: ["a:*"] };

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ clock, manualLoops: true, config: { auth: { staticClients: [tool] } } });
});
afterAll(() => stack.stop());

let count = 0;
const newId = (): string => `test/client-${count++}`;
const request = (change: { scopes?: string[]; description?: string; deleteOnExpiration?: boolean } = {}) => ({
  expires: inAnHour(),
  description: "A client",
  ...change,
});

/** Creates a client as root. `as` signs with its token. */
async function made(change: Parameters<typeof request>[0] = {}, clientId = newId()) {
  const client = await stack.client.auth.createClient({ clientId }, request(change));
  return { ...client, as: () => stack.as({ clientId, accessToken: client.accessToken }) };
}

const Events = Type.Object({ exchange: Type.String(), payload: Type.String() });
const eventsOf = async (clientId: string): Promise<string[]> => {
  const rows = await stack.database.db.many(
    Events,
    sql`
    select exchange, payload from events e
    where e.exchange like 'exchange/taskcluster-auth/%' and payload::json ->> 'clientId' = ${clientId} order by id`,
  );
  for (const { payload } of rows) expect(JSON.parse(payload)).toEqual({ version: 1, clientId });
  return rows.map(({ exchange }) => exchange.replace("exchange/taskcluster-auth/v1/", ""));
};
const actionsOn = async (entityId: string): Promise<string[]> => {
  const { auditHistory } = await stack.client.auth.getEntityHistory({ entityType: "client", entityId });
  return auditHistory.map(({ clientId, actionType }) => `${clientId} ${actionType}`);
};

describe("createClient", () => {
  test("returns a token with which the client signs immediately", async () => {
    const now = new Date(clock.now()).toISOString();
    const clientId = newId();
    const created = await stack.client.auth.createClient({ clientId }, request({ scopes: ["b", "a:*"] }));
    expect(created).toEqual({
      clientId,
      accessToken: expect.stringMatching(/^[\w-]{44}$/),
      expires: inAnHour(),
      description: "A client",
      scopes: ["b", "a:*"],
      expandedScopes: ["a:*", "b"],
      disabled: false,
      deleteOnExpiration: false,
      created: now,
      lastModified: now,
      lastDateUsed: now,
      lastRotated: now,
    });
    const { scopes } = await stack.as(created).auth.currentScopes();
    expect(scopes).toEqual(expect.arrayContaining(["a:*", "assume:anonymous", "b"]));
    const { accessToken: _, ...client } = created;
    expect(await stack.client.auth.client({ clientId })).toEqual(client);
    expect(await eventsOf(clientId)).toEqual(["client-created"]);
    expect(await actionsOn(clientId)).toEqual(["static/taskcluster/root created"]);
  });

  test("returns the same token if it is repeated within 15 minutes, and conflicts otherwise", async () => {
    const clientId = newId();
    const body = request({ scopes: ["b", "a"] });
    const first = await stack.client.auth.createClient({ clientId }, body);
    // Not compared.
    const again = { ...body, deleteOnExpiration: true };
    expect(await stack.client.auth.createClient({ clientId }, again)).toEqual(first);
    for (const other of [
      { ...body, scopes: ["a", "b"] },
      { ...body, description: "Another one" },
      { ...body, expires: new Date(clock.now()).toISOString() },
    ])
      await expect(stack.client.auth.createClient({ clientId }, other)).rejects.toMatchObject({
        code: "RequestConflict",
        message: expect.stringContaining(`There is a client with the id '${clientId}' already.`),
      });
    await stack.client.auth.disableClient({ clientId });
    await expect(stack.client.auth.createClient({ clientId }, body)).rejects.toThrow("already");
    await stack.client.auth.enableClient({ clientId });
    expect((await stack.client.auth.createClient({ clientId }, body)).accessToken).toBe(first.accessToken);
    clock.setNow(clock.now() + 15 * minute);
    await expect(stack.client.auth.createClient({ clientId }, body)).rejects.toThrow("already");
    expect((await eventsOf(clientId)).filter((event) => event === "client-created")).toHaveLength(1);
  });

  test("requires every scope that it assigns, after the id and the scopes were checked", async () => {
    const clientId = newId();
    const caller = stack.limited([`auth:create-client:${clientId}`, "a:*"]).auth;
    await expect(caller.createClient({ clientId }, request({ scopes: ["a:b", "b"] }))).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining("missing the following scopes:\n\n```\nb\n```"),
    });
    await expect(caller.createClient({ clientId: newId() }, request())).rejects.toMatchObject({
      code: "InsufficientScopes",
    });
    await expect(caller.createClient({ clientId: "static/x" }, request())).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining('clientId "static/x" starts with "static/"'),
    });
    await expect(caller.createClient({ clientId }, request({ scopes: ["b", "c**"] }))).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining("scopes must not end with `**`, as 'c**' does"),
    });
    expect(await caller.createClient({ clientId }, request({ scopes: ["a:b"] }))).toMatchObject({ clientId });
  });

  test("creates one client for concurrent calls", async () => {
    const clientId = newId();
    const body = request();
    const created = await Promise.all(
      Array.from({ length: 10 }, () => stack.client.auth.createClient({ clientId }, body)),
    );
    expect(new Set(created.map(({ accessToken }) => accessToken)).size).toBe(1);
    expect(await eventsOf(clientId)).toEqual(["client-created"]);
  });

  test("stores scopes of odd characters, and 10,000 of them", async () => {
    const odd = [" ", "", "'\"\\", "%2F<..>`$1", "~*", "a\\u0000"];
    const client = await made({ scopes: odd });
    expect(client.scopes).toEqual(odd);
    const many = Array.from({ length: 10_000 }, (_, i) => `queue:create-task:highest:project/pool-${i}`);
    const large = await made({ scopes: many });
    const { scopes } = await large.as().auth.currentScopes();
    expect(scopes.filter((scope) => scope.startsWith("queue:create-task:"))).toHaveLength(10_000);
    const tooMany = request({ scopes: [...many, "one:more"] });
    await expect(stack.client.auth.createClient({ clientId: newId() }, tooMany)).rejects.toMatchObject({
      code: "InputValidationError",
    });
  });
});

describe("updateClient", () => {
  test("replaces description, expiry and scopes, and leaves the token", async () => {
    const { clientId, as, created } = await made({ scopes: ["a", "auth:current-scopes"] });
    clock.setNow(clock.now() + minute);
    const expires = new Date(clock.now() + 5 * minute).toISOString();
    const updated = await stack.client.auth.updateClient(
      { clientId },
      { expires, description: "Changed", deleteOnExpiration: true, scopes: ["b"] },
    );
    const lastModified = new Date(clock.now()).toISOString();
    expect(updated).toMatchObject({ description: "Changed", scopes: ["b"], expires, created, lastModified });
    expect(updated.deleteOnExpiration).toBe(true);
    expect(updated).not.toHaveProperty("accessToken");
    const { scopes } = await as().auth.currentScopes();
    expect(scopes).toContain("b");
    expect(scopes).not.toContain("a");
    const kept = await stack.client.auth.updateClient({ clientId }, { expires, description: "" });
    expect(kept).toMatchObject({ description: "", scopes: ["b"] });
    expect(await eventsOf(clientId)).toEqual(["client-created", "client-updated", "client-updated"]);
  });

  test("requires the scopes that it adds, and the right to update before it replies 404", async () => {
    const { clientId } = await made({ scopes: ["x:*", "y"] });
    const caller = stack.limited(["auth:update-client:test/*", "a:*"]).auth;
    // `x:b` is covered by the former scopes, but not one of them.
    await expect(caller.updateClient({ clientId }, request({ scopes: ["y", "x:b"] }))).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining("missing the following scopes:\n\n```\nx:b\n```"),
    });
    const updated = await caller.updateClient({ clientId }, request({ scopes: ["y", "a:b"] }));
    expect(updated.scopes).toEqual(["y", "a:b"]);
    const missing = newId();
    await expect(caller.updateClient({ clientId: missing }, request())).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: expect.stringContaining(`There is no client with the id '${missing}'.`),
    });
    await expect(
      stack.limited(["a:*"]).auth.updateClient({ clientId: missing }, request()),
    ).rejects.toMatchObject({ code: "InsufficientScopes" });
    await expect(caller.updateClient({ clientId }, request({ scopes: ["a:**"] }))).rejects.toMatchObject({
      code: "InputError",
    });
  });

  test("never restores a scope that another call removes at the same time", async () => {
    const caller = stack.limited(["auth:update-client:test/*"]).auth;
    for (let i = 0; i < 5; i++) {
      const { clientId } = await made({ scopes: ["secret", "plain"] });
      const [, other] = await Promise.allSettled([
        stack.client.auth.updateClient({ clientId }, request({ scopes: ["plain"] })),
        caller.updateClient({ clientId }, request({ scopes: ["secret", "plain"], description: "other" })),
      ]);
      const { scopes, description } = await stack.client.auth.client({ clientId });
      // The other call came first, or was refused because the scope was no longer there.
      expect([scopes, description]).toEqual([["plain"], "A client"]);
      expect(["fulfilled", "rejected"]).toContain(other.status);
    }
  });
});

describe("a client that may not sign", () => {
  const refused = (message: string) => ({
    code: "AuthenticationFailed",
    message: expect.stringContaining(message),
  });

  test("is refused while it is disabled", async () => {
    const { clientId, as } = await made();
    await as().auth.currentScopes();
    for (let i = 0; i < 2; i++)
      expect(await stack.client.auth.disableClient({ clientId })).toMatchObject({ disabled: true });
    await expect(as().auth.currentScopes()).rejects.toMatchObject(
      refused(`Client with clientId '${clientId}' is disabled`),
    );
    expect(await stack.client.auth.enableClient({ clientId })).toMatchObject({ disabled: false });
    await as().auth.currentScopes();
    expect(await actionsOn(clientId)).toEqual(
      ["enabled", "disabled", "disabled", "created"].map((action) => `static/taskcluster/root ${action}`),
    );
  });

  test("is refused after it was deleted, and may be created again", async () => {
    const { clientId, as } = await made();
    await as().auth.currentScopes();
    for (let i = 0; i < 2; i++) await stack.client.auth.deleteClient({ clientId });
    await expect(as().auth.currentScopes()).rejects.toMatchObject(
      refused(`Client with clientId '${clientId}' not found`),
    );
    await expect(stack.client.auth.client({ clientId })).rejects.toMatchObject({ code: "ResourceNotFound" });
    expect(await eventsOf(clientId)).toEqual(["client-created", "client-deleted"]);
    const again = await made({}, clientId);
    await expect(as().auth.currentScopes()).rejects.toMatchObject(refused("Bad mac"));
    await again.as().auth.currentScopes();
  });

  test("is refused with its former token after a reset", async () => {
    const { clientId, as, accessToken, created } = await made();
    await as().auth.currentScopes();
    clock.setNow(clock.now() + minute);
    const reset = await stack.client.auth.resetAccessToken({ clientId });
    expect(reset).toMatchObject({ created, lastRotated: new Date(clock.now()).toISOString() });
    expect(reset.accessToken).not.toBe(accessToken);
    await expect(as().auth.currentScopes()).rejects.toMatchObject(refused("Bad mac"));
    await stack.as(reset).auth.currentScopes();
    await expect(stack.client.auth.resetAccessToken({ clientId: newId() })).rejects.toMatchObject({
      code: "ResourceNotFound",
    });
  });

  test("is refused when it expires, and is deleted if it was created so", async () => {
    const kept = await made();
    const deleted = await made({ deleteOnExpiration: true });
    clock.setNow(clock.now() + 60 * minute + 1);
    for (const { clientId, as } of [kept, deleted])
      await expect(as().auth.currentScopes()).rejects.toMatchObject(
        refused(`Client with clientId: '${clientId}' has expired`),
      );
    await stack.runLoop("client-expiry");
    await expect(stack.client.auth.client({ clientId: deleted.clientId })).rejects.toThrow("no client");
    expect(await stack.client.auth.client({ clientId: kept.clientId })).toMatchObject({ disabled: false });
    expect(await eventsOf(deleted.clientId)).toEqual(["client-created", "client-deleted"]);
    expect(await actionsOn(deleted.clientId)).toContain("(expiry) deleted");
  });
});

test("clients of the configuration are listed, and cannot be changed", async () => {
  const { clients } = await stack.client.auth.listClients({ query: { prefix: "static/" } });
  expect(clients.map(({ clientId }) => clientId)).toEqual(
    expect.arrayContaining(["static/taskcluster/queue", "static/taskcluster/root", "static/tool"]),
  );
  expect(await stack.client.auth.client({ clientId: "static/tool" })).toMatchObject({
    scopes: ["a:*"],
    expires: expect.stringMatching(/^3026-/),
  });
  const { auth } = stack.client;
  const clientId = "static/tool";
  for (const call of [
    () => auth.createClient({ clientId }, request()),
    () => auth.updateClient({ clientId }, request()),
    () => auth.enableClient({ clientId }),
    () => auth.disableClient({ clientId }),
    () => auth.resetAccessToken({ clientId }),
    () => auth.deleteClient({ clientId }),
  ])
    await expect(call()).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining("reserved for clients of the configuration"),
    });
});

test("lists contain the ids with a prefix, page by page", async () => {
  const prefix = `list-${newId()}/`;
  const ids = ["a", "a/b", "b", "z"].map((name) => prefix + name);
  for (const clientId of ids) await made({}, clientId);
  await made({}, prefix.slice(0, -1));
  const listed: string[] = [];
  let continuationToken: string | undefined;
  do {
    const page = await stack.client.auth.listClients({
      query: { prefix, limit: 1, ...(continuationToken !== undefined && { continuationToken }) },
    });
    listed.push(...page.clients.map(({ clientId }) => clientId));
    ({ continuationToken } = page);
  } while (continuationToken !== undefined);
  expect(listed).toEqual(ids);
});

test("ids and prefixes may be sent with plain slashes", async () => {
  const { clientId } = await made();
  for (const path of [clientId, encodeURIComponent(clientId)]) {
    const reply = await rawCall(stack.rootUrl, {
      method: "GET",
      path: `/api/auth/v1/clients/${path}`,
      credentials: stack.rootCredentials,
      now: clock.now(),
    });
    expect(reply.body).toMatchObject({ clientId });
  }
});

test("no access token is in the database as text, and a token that is copied to another row has no effect", async () => {
  const [one, other] = [await made({ scopes: ["a"] }), await made()];
  const { accessToken } = await stack.client.auth.resetAccessToken(one);
  const texts = await storedTexts(stack.database.db);
  expect(texts).toContain(one.clientId);
  for (const token of [accessToken, one.accessToken, other.accessToken, tool.accessToken])
    expect(texts).not.toContain(token);
  await stack.database.db.run(sql`
    update clients set access_token = (select access_token from clients where client_id = ${other.clientId})
    where client_id = ${one.clientId}`);
  // The view reads the row again.
  await stack.client.auth.disableClient(one);
  await stack.client.auth.enableClient(one);
  const stolen = stack.as({ clientId: one.clientId, accessToken: other.accessToken });
  await expect(stolen.auth.currentScopes()).rejects.toMatchObject({
    code: "AuthenticationFailed",
    message: expect.stringContaining(`Client with clientId '${one.clientId}' not found`),
  });
});
