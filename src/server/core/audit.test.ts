import { Type } from "typebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../test/support/db.ts";
import { auditEntry } from "./audit.ts";
import { sql } from "./sql.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.db.run(
    sql`create table notes (id text primary key, body text not null check (body <> 'bad'))`,
  );
});
afterAll(() => database.drop());

const Entry = Type.Object({
  entity_type: Type.String(),
  entity_id: Type.String(),
  client_id: Type.String(),
  action: Type.String(),
});
const entries = () =>
  database.db.many(Entry, sql`select entity_type, entity_id, client_id, action from audit_log order by id`);

const write = (id: string, body: string) =>
  database.db.run(sql`
    with written as (
      insert into notes (id, body) values (${id}, ${body})
      on conflict (id) do update set body = excluded.body where notes.body <> excluded.body
      returning id, xmax = 0 as created)
    ${auditEntry({
      entityType: "secret",
      entityId: sql`id`,
      clientId: "someone",
      action: sql`case when created then 'created' else 'updated' end`,
      from: sql`from written`,
    })}`);

it("an entry commits with its change, and there is none without a change", async () => {
  await write("a", "one");
  await write("a", "one");
  await write("a", "two");
  await expect(write("b", "bad")).rejects.toThrow(/check constraint/);
  expect((await entries()).map((entry) => Object.values(entry).join(" "))).toEqual([
    "secret a someone created",
    "secret a someone updated",
  ]);
});
