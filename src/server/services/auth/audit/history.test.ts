import { afterAll, beforeAll, expect, test } from "vitest";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { sql } from "../../../core/sql.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ manualLoops: true });
});
afterAll(() => stack.stop());

const written = (entityId: string, age: string): Promise<number> =>
  stack.database.db.run(sql`
    insert into audit_log (created, entity_type, entity_id, client_id, action)
    values (now() - ${age}::interval, 'secret', ${entityId}, 'a/client', 'updated')`);

test("the latest change comes first, and changes are kept for 30 days", async () => {
  await written("old", "30 days 1 minute");
  await written("nearly/old", "29 days 23 hours");
  await written("new", "1 minute");
  const listed = async () =>
    (await stack.client.auth.listAuditHistory({ clientId: "a/client" })).auditHistory.map(
      ({ entityId, entityType, actionType }) => [entityType, entityId, actionType],
    );
  const kept = [
    ["secret", "new", "updated"],
    ["secret", "nearly/old", "updated"],
  ];
  // Old entries are hidden even before the loop deletes them.
  expect(await listed()).toEqual(kept);
  await stack.runLoop("audit-expiry");
  expect(await listed()).toEqual(kept);
  expect(await stack.database.db.run(sql`select from audit_log where client_id = 'a/client'`)).toBe(2);
  const of = { entityType: "secret", entityId: "nearly/old" };
  expect(await stack.client.auth.getEntityHistory(of)).toMatchObject({
    auditHistory: [{ clientId: "a/client", entityId: "nearly/old" }],
  });
});
