// The statements of lists, loops and views walk an index, whatever the number of clients, roles, entries and events.
import { afterAll, beforeAll, expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { plansOf } from "../../../../test/support/plans.ts";
import { positionNow, readEvents } from "../../core/event-log/read.ts";
import { sql } from "../../core/sql.ts";
import { deleteEntries, entriesOfClient, entriesOfEntity } from "./audit/store.ts";
import { listClients, readClient } from "./clients/store/clients.ts";
import { deleteExpired } from "./clients/store/delete-expired.ts";
import { viewedClients, viewedClientsById, viewedRoles, writeUses } from "./directory/store.ts";
import { listRoleIds, listRoles } from "./roles/store.ts";
import { directoryEvents } from "./sql/directory-events.ts";

let database: TestDatabase;
beforeAll(async () => {
  // One connection, so that its prepared statements are those of this test.
  database = await testDatabase({ poolSize: 1 });
  await database.db.run(sql`
    with entries as (
      insert into audit_log (entity_type, entity_id, client_id, action)
      select 'client', 'c' || n % 100, 'a' || n % 100, 'created' from generate_series(1, 5000) n
    ),
    all_roles as (
      insert into roles select 'r' || n, '', '[]', now(), now() from generate_series(1, 1000) n
    ),
    other_events as (
      insert into events (exchange, routing_key, payload) select 'x', '_', '{}' from generate_series(1, 5000) n
    )
    insert into clients (client_id, description, scopes, expires, delete_on_expiration, created, last_modified, last_rotated)
    select 'c' || n, '', '[]', now(), n % 2 = 0, now(), now(), now() from generate_series(1, 5000) n`);
  await database.db.run(sql`vacuum analyze`);
});
afterAll(() => database.drop());

const now = new Date().toISOString();
const page = { since: now, before: 1, limit: 1 };

test.each<[string, string, () => Promise<unknown>]>([
  ["a list of clients", "clients_pkey", () => listClients(database.db, "c", "c1", 10)],
  ["a client", "clients_pkey", () => readClient(database.db, "c1")],
  ["the view of clients", "clients_pkey", () => viewedClients(database.db, "c1", 10)],
  ["some clients", "clients_pkey", () => viewedClientsById(database.db, ["c1"])],
  ["times of use", "clients_pkey", () => writeUses(database.db, [["c1", 0]])],
  ["expired clients", "clients_to_delete", () => deleteExpired(database.db, now, 1, "a")],
  ["a list of roles", "roles_pkey", () => listRoles(database.db, "r1", 10)],
  ["a list of role ids", "roles_pkey", () => listRoleIds(database.db, "r1", 10)],
  ["the view of roles", "roles_pkey", () => viewedRoles(database.db, "r1", 10)],
  [
    "the history of an entity",
    "audit_log_by_entity",
    () => entriesOfEntity(database.db, "client", "c1", page),
  ],
  ["the history of a client", "audit_log_by_client", () => entriesOfClient(database.db, "a1", page)],
  ["old entries", "audit_log_by_created", () => deleteEntries(database.db, now, 1)],
])("%s is found by the index %s", async (_, index, run) => {
  await database.db.run(sql`deallocate all`);
  await run();
  const [plan] = await plansOf(database.db, (text) => !text.includes("pg_prepared_statements"));
  expect(plan).toMatch(new RegExp(`Index (Only )?Scan (Backward )?using ${index}`));
  expect(plan).not.toMatch(/Seq Scan on|Bitmap/);
  if (!/delete|insert/.test(plan ?? "")) expect(plan).not.toMatch(/^ *(->)? *(Incremental )?Sort/m);
});

test("the events of clients and roles are found without walking the others", async () => {
  await readEvents(database.db, await positionNow(database.db), 10, directoryEvents);
  const [plan = ""] = await plansOf(database.db, (text) => text.includes("taskcluster-auth/%"));
  const indexes = [...plan.matchAll(/Index Scan using (\w+) on events_default/g)].map(([, name]) => name);
  // PostgreSQL names the indexes of partitions. Those without a number are of all events.
  expect(indexes).toEqual([
    expect.stringMatching(/^events_default_(xid_)?id_idx1$/),
    "events_default_id_idx1",
  ]);
  expect(plan).not.toMatch(/Seq Scan on events/);
});
