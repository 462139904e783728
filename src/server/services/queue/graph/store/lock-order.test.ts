// Statements that lock several rows lock them in byte order of their ids, whatever the collation of the database.
import { randomBytes } from "node:crypto";
import { expect, inject, it, onTestFinished } from "vitest";
import { databaseUrl, dropDatabase, runOn } from "../../../../../../test/support/databases.ts";
import { newTask } from "../../../../../../test/support/factories.ts";
import { untilLockWaits } from "../../../../../../test/support/lock-waits.ts";
import { openDb } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { migrate } from "../../../../db/index.ts";
import { insertTasks, type NewTask } from "../../tasks/store/insert-tasks.ts";

it("creating tasks locks their groups in byte order in a database with an English collation", async () => {
  const server = inject("postgresUrl");
  const name = `test_${randomBytes(6).toString("hex")}`;
  await runOn(server, `create database ${name} template template0 locale_provider icu icu_locale 'en'`);
  const url = databaseUrl(server, name);
  await migrate({ url });
  const db = openDb({ url, checkRows: true });
  onTestFinished(async () => {
    await db.close();
    await dropDatabase(server, name);
  });
  const taskIn = (taskGroupId: string): NewTask => newTask({ taskGroupId });
  const at = new Date().toISOString();
  // In the English collation the second sorts first.
  const groups = ["Zzzzzzzzz", "aaaaaaaaa"];
  const [first = ""] = groups;
  await insertTasks(db, groups.map(taskIn), at, 0);

  let created: Promise<unknown> = Promise.resolve();
  await db.tx(async (tx) => {
    await tx.run(sql`select from task_groups where task_group_id = ${first} for update`);
    created = insertTasks(db, groups.map(taskIn), at, 0);
    await untilLockWaits(db);
    expect(await db.run(sql`select from task_groups for update skip locked`)).toBe(1);
  });
  expect(await created).toMatchObject([{ outcome: "created" }, { outcome: "created" }]);
});
