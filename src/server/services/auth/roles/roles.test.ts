import { randomBytes } from "node:crypto";
import Type from "typebox";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { sql } from "../../../core/sql.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ manualLoops: true });
});
afterAll(() => stack.stop());

let count = 0;
const newId = (): string => `test-role-${count++}:`;
const role = (scopes: readonly string[] = [], description = "A role") => ({
  scopes: [...scopes],
  description,
});
const create = (roleId: string, scopes: readonly string[]) =>
  stack.client.auth.createRole({ roleId }, role(scopes));
const update = (roleId: string, scopes: readonly string[]) =>
  stack.client.auth.updateRole({ roleId }, role(scopes));
const expanded = async (...scopes: string[]): Promise<string[]> =>
  (await stack.client.auth.expandScopes({ scopes })).scopes;

const Events = Type.Object({ exchange: Type.String(), payload: Type.String() });
const eventsOf = async (roleId: string): Promise<string[]> => {
  const rows = await stack.database.db.many(
    Events,
    sql`
    select exchange, payload from events e
    where e.exchange like 'exchange/taskcluster-auth/%' and payload::json ->> 'roleId' = ${roleId} order by id`,
  );
  for (const { payload } of rows) expect(JSON.parse(payload)).toEqual({ version: 1, roleId });
  return rows.map(({ exchange }) => exchange.replace("exchange/taskcluster-auth/v1/", ""));
};

describe("createRole", () => {
  test("sorts the scopes, and grants them immediately", async () => {
    const roleId = newId();
    const created = await create(roleId, ["b", "X", "q*", "qa"]);
    expect(created).toEqual({
      roleId,
      description: "A role",
      scopes: ["X", "b", "q*", "qa"],
      expandedScopes: ["X", `assume:${roleId}`, "b", "q*"],
      created: expect.stringMatching(/Z$/),
      lastModified: created.created,
    });
    expect(await stack.client.auth.role({ roleId })).toEqual(created);
    expect(await expanded(`assume:${roleId}`)).toEqual(created.expandedScopes);
    expect(await eventsOf(roleId)).toEqual(["role-created"]);
    const { auditHistory } = await stack.client.auth.getEntityHistory({
      entityType: "role",
      entityId: roleId,
    });
    expect(auditHistory).toEqual([
      {
        clientId: "static/taskcluster/root",
        actionType: "created",
        entityType: "role",
        entityId: roleId,
        created: expect.stringMatching(/Z$/),
      },
    ]);
  });

  test("is idempotent for the same description and the same set of scopes", async () => {
    const roleId = newId();
    const created = await create(roleId, ["a", "b"]);
    expect(await create(roleId, ["b", "a"])).toEqual(created);
    await update(roleId, ["b", "a"]);
    expect((await create(roleId, ["a", "b"])).scopes).toEqual(["b", "a"]);
    for (const other of [role(["a"]), role(["a", "b"], "Another")])
      await expect(stack.client.auth.createRole({ roleId }, other)).rejects.toMatchObject({
        code: "RequestConflict",
        message: expect.stringContaining(`There is a role with the id '${roleId}' already.`),
      });
    expect(await eventsOf(roleId)).toEqual(["role-created", "role-updated"]);
  });

  test("requires every scope of the role, after these were checked", async () => {
    const roleId = newId();
    const caller = stack.limited([`auth:create-role:${roleId}`, "a:*"]).auth;
    await expect(caller.createRole({ roleId }, role(["a:b", "b"]))).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining("missing the following scopes:\n\n```\nb\n```"),
    });
    await expect(caller.createRole({ roleId }, role(["b**"]))).rejects.toMatchObject({ code: "InputError" });
    expect(await caller.createRole({ roleId }, role(["a:b"]))).toMatchObject({ scopes: ["a:b"] });
  });

  test.each([
    ["x:<..>:<..>", "parameterized scope 'x:<..>:<..>' contains multiple '<..>'"],
    ["x:*<..>", "parameterized scope 'x:*<..>' ends with '*<..>'"],
  ])("refuses the scope %s in a role with a parameter", async (scope, message) => {
    const roleId = newId();
    await expect(create(`${roleId}*`, [scope])).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining(message),
    });
    // Without a star the text is not a parameter.
    expect((await create(roleId, [scope])).expandedScopes).toContain(scope);
  });

  test("passes the parameter on", async () => {
    const prefix = newId();
    await create(`${prefix}*`, ["queue:route:<..>:x"]);
    expect(await expanded(`assume:${prefix}a`)).toContain("queue:route:a:x");
    expect(await expanded(`assume:${prefix}a*`)).toContain("queue:route:a*");
  });

  test("refuses an id that no index can have", async () => {
    const roleId = newId() + Array.from({ length: 100 }, () => randomBytes(30).toString("base64")).join("");
    await expect(create(roleId, [])).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining("an id or name that is too long to be stored: use at most 2,000"),
    });
  });
});

describe("updateRole", () => {
  test("keeps the order of the scopes, and applies to the next request", async () => {
    const roleId = newId();
    const { created } = await create(roleId, ["a"]);
    const client = await stack.client.auth.createClient(
      { clientId: `test/holder-${count}` },
      { expires: new Date(Date.now() + 60_000).toISOString(), description: "", scopes: [`assume:${roleId}`] },
    );
    const scopesOf = async () => (await stack.as(client).auth.currentScopes()).scopes;
    expect(await scopesOf()).toContain("a");
    const updated = await update(roleId, ["c", "b"]);
    expect(updated).toMatchObject({ scopes: ["c", "b"], created });
    const scopes = await scopesOf();
    expect([scopes.includes("a"), scopes.includes("b")]).toEqual([false, true]);
    expect((await stack.client.auth.client(client)).expandedScopes).toEqual([`assume:${roleId}`, "b", "c"]);
    expect(await eventsOf(roleId)).toEqual(["role-created", "role-updated"]);
  });

  test("requires the scopes that the role did not grant before, also through others", async () => {
    const [roleId, other] = [newId(), newId()];
    await create(other, ["x:*"]);
    await create(roleId, [`assume:${other}`]);
    const caller = stack.limited(["auth:update-role:test-role-*", "a:*"]).auth;
    await expect(caller.updateRole({ roleId }, role(["x:y", "a:b", "c"]))).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining("missing the following scopes:\n\n```\nc\n```"),
    });
    expect(await caller.updateRole({ roleId }, role(["x:y", "a:b"]))).toMatchObject({
      scopes: ["x:y", "a:b"],
    });
    const missing = newId();
    await expect(caller.updateRole({ roleId: missing }, role(["c"]))).rejects.toMatchObject({
      code: "ResourceNotFound",
    });
    await expect(
      stack.limited(["a:*"]).auth.updateRole({ roleId: missing }, role(["c"])),
    ).rejects.toMatchObject({ code: "InsufficientScopes" });
  });

  test("refuses cycles of any length", async () => {
    const ids = Array.from({ length: 5 }, newId);
    const next = (i: number): string => `assume:${ids[(i + 1) % ids.length]}`;
    for (let i = 1; i < ids.length - 1; i++) await create(ids[i] ?? "", [next(i)]);
    await create(ids.at(-1) ?? "", []);
    await create(ids[0] ?? "", [next(0)]);
    const cycle = [...ids.slice(-1), ...ids].map((roleId) => `'assume:${roleId}'`).join(" -> ");
    await expect(update(ids.at(-1) ?? "", [next(ids.length - 1)])).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining(`Roles may not contain dependency cycles, found: ${cycle}.`),
    });
    await expect(create("test-self", ["assume:test-*"])).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining("found: 'assume:test-self' -> 'assume:test-self'"),
    });
  });

  test("loses no update of concurrent calls, and closes no cycle", async () => {
    const [a, b] = [newId(), newId()];
    await create(a, []);
    await create(b, []);
    for (let i = 0; i < 5; i++) {
      const results = await Promise.allSettled([update(a, [`assume:${b}`]), update(b, [`assume:${a}`])]);
      expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      await update(a, []);
      await update(b, []);
    }
    const many = Array.from({ length: 20 }, newId);
    await Promise.all(many.map((roleId) => create(roleId, ["a"])));
    expect(await expanded(...many.map((roleId) => `assume:${roleId}`))).toHaveLength(21);
  });
});

test("deleteRole succeeds for any id, and what the role granted ends", async () => {
  const roleId = newId();
  await create(roleId, ["a"]);
  for (let i = 0; i < 2; i++) expect(await stack.client.auth.deleteRole({ roleId })).toBeUndefined();
  expect(await expanded(`assume:${roleId}`)).toEqual([`assume:${roleId}`]);
  await expect(stack.client.auth.role({ roleId })).rejects.toMatchObject({
    code: "ResourceNotFound",
    message: expect.stringContaining(`There is no role with the id '${roleId}'.`),
  });
  expect(await eventsOf(roleId)).toEqual(["role-created", "role-deleted"]);
});

test("all lists agree, and contain everything without a limit", async () => {
  await create(newId(), ["a"]);
  const all = await stack.client.auth.listRoles();
  const ids = all.map(({ roleId }) => roleId);
  expect(ids).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(ids).toContain("anonymous");
  expect(await stack.client.auth.listRoles2()).toEqual({ roles: all });
  expect(await stack.client.auth.listRoleIds()).toEqual({ roleIds: ids });
});
