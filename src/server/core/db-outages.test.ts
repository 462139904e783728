// A database that is read-only for a while or has a full disk, and sessions that outlive what they were opened for.
import { Type } from "typebox";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { addNote, allNotes, notesDatabase, Notes, pidOf } from "../../../test/support/notes-database.ts";
import { manualClock } from "../../../test/support/clock.ts";
import { setReadOnly } from "../../../test/support/databases.ts";
import { fillDiskUnder, fillTemporaryDiskOf } from "../../../test/support/full-disk.ts";
import { eventually } from "../../../test/support/until.ts";
import { systemClock } from "../../lib/clock.ts";
import { databaseCheck } from "./db-check.ts";
import { sql } from "./sql.ts";

const t = notesDatabase();
const { open } = t;

describe("a database that is read-only for a while", () => {
  beforeEach(() => {
    onTestFinished(() => setReadOnly(t.url, false));
  });

  test("refuses changes as unavailable, reads go on, and all of its sessions are replaced when it accepts writes", async () => {
    const warnings: object[] = [];
    const db = open({ poolSize: 3, log: { warn: (fields) => warnings.push(fields) } });
    await setReadOnly(t.url, true);
    // All sessions of the pool begin now.
    await Promise.all([1, 2, 3].map(() => db.run(sql`select pg_sleep(0.05)`)));
    for (const change of [() => db.run(addNote(1)), () => db.tx((tx) => tx.run(addNote(1)))])
      await expect(change()).rejects.toMatchObject({
        code: "ServiceUnavailable",
        outage: "read-only",
        message: expect.stringMatching(/^The database is read-only at the moment/),
        cause: { code: "25006" },
      });
    expect(await db.many(Notes, allNotes)).toEqual([]);
    expect(warnings).toEqual([
      { outage: "read-only", reason: "cannot execute INSERT in a read-only transaction" },
    ]);

    await setReadOnly(t.url, false);
    await eventually(() => db.run(addNote(1)));
    // Sessions of before were discarded, and not one by one with an error each.
    await Promise.all([2, 3, 4].map((id) => db.run(addNote(id))));
    expect(await db.many(Notes, allNotes)).toHaveLength(4);
  });

  test("keeps its sessions while it is read-only, instead of connecting for each call", async () => {
    await setReadOnly(t.url, true);
    const db = open({ poolSize: 1 });
    const pid = await pidOf(db);
    for (let i = 0; i < 20; i++) await expect(db.run(addNote(1))).rejects.toThrow("read-only");
    expect(await pidOf(db)).toBe(pid);
  });

  test("is unhealthy, and healthy again afterwards", async () => {
    const db = open({ poolSize: 1 });
    const check = databaseCheck(db, systemClock);
    await check();
    await setReadOnly(t.url, true);
    const readOnly = databaseCheck(open({ poolSize: 1 }), systemClock);
    await expect(readOnly()).rejects.toMatchObject({ outage: "read-only" });
    await setReadOnly(t.url, false);
    await eventually(readOnly);
  });

  test("is checked at most once in a second, however many callers ask", async () => {
    const clock = manualClock();
    const check = databaseCheck(open({ poolSize: 1 }), clock);
    const first = check();
    expect(check()).toBe(first);
    await first;
    await clock.advance(999);
    expect(check()).toBe(first);
    await clock.advance(1);
    const second = check();
    expect(second).not.toBe(first);
    await second;
  });
});

describe("a database whose disk is full", () => {
  test("says so, and accepts the same change when there is space", async () => {
    const db = open({ poolSize: 1 });
    await db.run(sql`create table full_notes (id int4)`);
    const free = await fillDiskUnder(db, "full_notes");
    const fresh = open({ poolSize: 1 });
    const insert = () => fresh.run(sql`insert into full_notes values (1)`);
    await expect(insert()).rejects.toMatchObject({
      code: "ServiceUnavailable",
      outage: "disk full",
      message: expect.stringMatching(/^The disk of the database is full\. .*Tell the operator/),
      cause: { code: "53100" },
    });
    await free();
    const after = open({ poolSize: 1 });
    expect(await after.run(sql`insert into full_notes values (1)`)).toBe(1);
  });

  test("is unhealthy, though it replies", async () => {
    const db = open({ poolSize: 1 });
    const free = await fillTemporaryDiskOf(t.db, [await pidOf(db)]);
    onTestFinished(free);
    const check = databaseCheck(db, systemClock);
    await expect(check()).rejects.toMatchObject({ outage: "disk full" });
    await free();
    await eventually(check);
  });
});

describe("sessions", () => {
  test("are replaced when they are older than the greatest age", async () => {
    const db = open({ poolSize: 1, maxAgeMs: 300 });
    const pid = await pidOf(db);
    expect(await pidOf(db)).toBe(pid);
    await eventually(async () => expect(await pidOf(db)).not.toBe(pid));
  });

  test("whose plans a migration has made useless are replaced without an error", async () => {
    const db = open({ poolSize: 2 });
    const read = () => db.many(Type.Object({ body: Type.Unknown() }), sql`select body from notes`);
    await Promise.all([read(), read()]);
    await t.db.run(sql`alter table notes alter column body type varchar(10)`);
    onTestFinished(async () => void (await t.db.run(sql`alter table notes alter column body type text`)));
    expect(await Promise.all([read(), read()])).toEqual([[], []]);
    expect(
      await db.tx((tx) => tx.many(Type.Object({ body: Type.Unknown() }), sql`select body from notes`)),
    ).toEqual([]);
  });

  test("that lost their prepared statements are replaced without an error", async () => {
    const db = open({ poolSize: 1 });
    await db.many(Notes, allNotes);
    await db.run(sql`deallocate all`);
    expect(await db.many(Notes, allNotes)).toEqual([]);
  });
});

describe("SQL states", () => {
  const raise = (state: string) =>
    t.db.run({ text: `do $$ begin raise sqlstate '${state}'; end $$`, values: [] });

  test.each([
    ["08006", "unreachable"],
    ["40001", "conflict"],
    ["40P01", "conflict"],
    ["53100", "disk full"],
    ["53200", "overloaded"],
    ["53300", "overloaded"],
    ["55P03", "overloaded"],
    ["57014", "overloaded"],
    ["57P01", "unreachable"],
    ["57P02", "unreachable"],
    ["57P03", "unreachable"],
    ["58030", "unreachable"],
  ])("%s is an outage: %s", async (state, outage) => {
    await expect(raise(state)).rejects.toMatchObject({
      code: "ServiceUnavailable",
      outage,
      cause: { code: state },
    });
  });

  test.each(["0A000", "22012", "23505", "25P02", "42501", "42P01", "54000", "P0001", "XX000"])(
    "%s is the fault of the statement",
    async (state) => {
      await expect(raise(state)).rejects.toMatchObject({ name: "error", code: state });
    },
  );
});
