import { afterAll, beforeAll, expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { PartialConfig } from "../../../config/index.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** Starts a server on the same database, calls `use`, and stops it. */
async function withServer(config: PartialConfig, use: (stack: Stack) => Promise<void>): Promise<void> {
  const stack = await testStack({ database, config, manualLoops: true });
  try {
    await use(stack);
  } finally {
    await stack.stop();
  }
}
const logged = ({ records }: Stack) =>
  records.filter(({ msg }) => typeof msg === "string" && msg.startsWith("the role anonymous"));
const scopesOfStrangers = (stack: Stack): Promise<readonly string[]> =>
  stack
    .as(undefined)
    .auth.currentScopes()
    .then(
      ({ scopes }) => scopes,
      () => [],
    );
const description = "Changed";

// The servers of these tests follow each other on one database.
test("is not stored while access is closed, and grants what the configuration says", async () => {
  await withServer(
    { access: "closed", auth: { anonymousScopes: ["auth:current-scopes"] } },
    async (stack) => {
      expect(await scopesOfStrangers(stack)).toEqual(["assume:anonymous", "auth:current-scopes"]);
      expect((await stack.client.auth.listRoleIds()).roleIds).toEqual([]);
      expect(logged(stack)).toEqual([]);
    },
  );
});

test("is stored at the first start with the scopes of the configuration, and can be changed", async () => {
  const config = { access: "results" as const, auth: { anonymousScopes: ["x:y"] } };
  await withServer(config, async (stack) => {
    const stored = await stack.client.auth.role({ roleId: "anonymous" });
    expect(stored.scopes).toEqual(expect.arrayContaining(["queue:status:*", "x:y"]));
    expect(await scopesOfStrangers(stack)).toEqual(["assume:anonymous", ...stored.scopes]);
    expect(logged(stack)).toEqual([]);
    const scopes = ["auth:current-scopes", "z"];
    await stack.client.auth.updateRole({ roleId: "anonymous" }, { scopes, description });
    expect(await scopesOfStrangers(stack)).toEqual(["assume:anonymous", ...scopes]);
    // Every caller has them, also with other scopes.
    expect((await stack.limited(["a"]).auth.currentScopes()).scopes).toEqual([
      "a",
      "assume:anonymous",
      ...scopes,
    ]);
  });
  await withServer(config, async (stack) => {
    expect(await scopesOfStrangers(stack)).toEqual(["assume:anonymous", "auth:current-scopes", "z"]);
    const [record] = logged(stack);
    expect(record).toMatchObject({
      onlyConfigured: expect.arrayContaining(["queue:status:*", "x:y"]),
      onlyStored: ["z"],
      msg: expect.stringContaining("differs from the settings access and auth.anonymousScopes"),
    });
  });
});

test("has no effect where access is closed, also if it is changed then", async () => {
  await withServer({ access: "closed" }, async (stack) => {
    expect(await scopesOfStrangers(stack)).toEqual([]);
    expect(logged(stack)).toMatchObject([
      { onlyStored: ["auth:current-scopes", "z"], msg: expect.stringContaining("because access is closed") },
    ]);
    const scopes = ["auth:current-scopes", "queue:status:*"];
    await stack.client.auth.updateRole({ roleId: "anonymous" }, { scopes, description });
    expect(await scopesOfStrangers(stack)).toEqual([]);
    expect((await stack.client.auth.expandScopes({ scopes: ["assume:anonymous"] })).scopes).toEqual([
      "assume:anonymous",
    ]);
  });
});
