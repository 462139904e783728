import { Type } from "typebox";
import { describe, expect, onTestFinished, test } from "vitest";
import { databaseProxy } from "../../../test/support/database-proxy.ts";
import { addNote, allNotes, notesDatabase, Notes, pidOf } from "../../../test/support/notes-database.ts";
import { until } from "../../../test/support/until.ts";
import { Bytes, DatabaseUnavailable, isRetryable, isUniqueViolation, Timestamp } from "./db.ts";
import { sql } from "./sql.ts";

const t = notesDatabase();
const { open } = t;

/** Ends a backend and waits until it has ended. */
const terminate = (pid: number | undefined) => t.db.run(sql`select pg_terminate_backend(${pid}, 5000)`);

describe("rows", () => {
  test("arrive with int8 as numbers, timestamptz as dates, json parsed and numeric as text", async () => {
    const Row = Type.Object({
      big: Type.Integer(),
      at: Timestamp,
      doc: Type.Object({ a: Type.Array(Type.Integer()) }),
      exact: Type.String(),
      bytes: Type.Union([Bytes, Type.Null()]),
      position: Type.String(),
    });
    const row = await t.db.maybeOne(
      Row,
      sql`select ${9007199254740991n}::int8 as big, '2026-03-01T12:00:00.25Z'::timestamptz as at,
        '{"a": [1]}'::jsonb as doc, 0.1::numeric as exact, '\\x01ff'::bytea as bytes, '77'::xid8 as position`,
    );
    expect(row).toEqual({
      big: 9007199254740991,
      at: new Date("2026-03-01T12:00:00.250Z"),
      doc: { a: [1] },
      exact: "0.1",
      bytes: Buffer.from([1, 255]),
      position: "77",
    });
  });

  test("are refused, not rounded, if an int8 does not fit a number", async () => {
    const query = sql`select 9007199254740993::int8 as id`;
    await expect(t.db.many(Type.Object({ id: Type.Integer() }), query)).rejects.toThrow(
      "int8 9007199254740993 does not fit a number: select it as text",
    );
    expect(await pidOf(t.db)).toBeGreaterThan(0);
  });

  test("that do not match their schema fail the statement, with the column in the error", async () => {
    await t.db.run(addNote(1, "one"));
    const Wrong = Type.Object({ id: Type.String(), body: Type.String() });
    await expect(t.db.many(Wrong, allNotes)).rejects.toThrow(/^A row does not match .* id: must be string\n/);
  });

  test("with a column that their schema does not name fail the statement", async () => {
    await t.db.run(addNote(1, "one"));
    const Narrow = Type.Object({ id: Type.Integer() });
    await expect(t.db.many(Narrow, allNotes)).rejects.toThrow(
      "body: the schema does not declare this column",
    );
  });

  test("are not checked by default", async () => {
    const db = open({ checkRows: false });
    const row: unknown = await db.maybeOne(Type.Object({ a: Type.String() }), sql`select 1 as b`);
    expect(row).toEqual({ b: 1 });
  });

  test("may be none", async () => {
    expect(await t.db.maybeOne(Notes, allNotes)).toBeUndefined();
  });

  test("that a statement changed are counted", async () => {
    await t.db.run(sql`insert into notes (id, body) select i, '' from generate_series(1, 3) i`);
    expect(await t.db.run(sql`update notes set body = 'x' where id > ${1}`)).toBe(2);
  });
});

describe("statements", () => {
  test("are prepared once per connection, whatever their values", async () => {
    const db = open({ poolSize: 1 });
    for (const n of [1, 2, 3]) await db.many(Type.Object({ n: Type.Integer() }), sql`select ${n}::int4 as n`);
    const prepared = await db.many(
      Type.Object({ statement: Type.String(), generic_plans: Type.Integer() }),
      sql`select statement, generic_plans from pg_prepared_statements where statement like 'select $1::int4%'`,
    );
    expect(prepared).toEqual([{ statement: "select $1::int4 as n", generic_plans: 3 }]);
  });

  test("that fail leave the connection in the pool", async () => {
    const db = open({ poolSize: 1 });
    const before = await pidOf(db);
    await db.run(addNote(1));
    await expect(db.run(addNote(1))).rejects.toSatisfy((err) => isUniqueViolation(err));
    expect(await pidOf(db)).toBe(before);
  });

  test("that are the victim of a deadlock are retried", async () => {
    for (const id of [1, 2]) await t.db.run(addNote(id, ""));
    const db = open();
    let touching: Promise<number> = Promise.resolve(0);
    await db.tx(async (tx) => {
      // So that this transaction is never the victim.
      await tx.run(sql`set local deadlock_timeout = '1h'`);
      await tx.run(sql`select from notes where id = 1 for update`);
      touching = db.run(sql`
        with held as (select id from notes order by id desc for update)
        update notes n set body = body || 'x' from held where n.id = held.id`);
      await until("the statement to wait for us", async () => {
        const waiting = await t.db.run(sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
        return waiting > 0;
      });
      await tx.run(sql`update notes set body = body || 'y' where id = 2`);
    });
    expect(await touching).toBe(2);
    expect(await t.db.many(Notes, allNotes)).toEqual([
      { id: 1, body: "x" },
      { id: 2, body: "yx" },
    ]);
  });

  test("distinguish the violated constraint from others", async () => {
    await t.db.run(addNote(1));
    const err: unknown = await t.db.run(addNote(1)).catch((caught: unknown) => caught);
    expect(isUniqueViolation(err, "notes_pkey")).toBe(true);
    expect(isUniqueViolation(err, "other_key")).toBe(false);
    expect(isUniqueViolation(new Error("notes_pkey"))).toBe(false);
  });
});

describe("transactions", () => {
  test("commit the statements of their body", async () => {
    const answer = await t.db.tx(async (tx) => {
      await tx.run(addNote(1, "kept"));
      return "answer";
    });
    expect(answer).toBe("answer");
    expect(await t.db.many(Notes, allNotes)).toEqual([{ id: 1, body: "kept" }]);
  });

  test("roll back when their body throws, and throw the same error", async () => {
    const fault = new Error("no");
    const attempt = t.db.tx(async (tx) => {
      await tx.run(addNote(1));
      throw fault;
    });
    await expect(attempt).rejects.toBe(fault);
    expect(await t.db.many(Notes, allNotes)).toEqual([]);
  });

  test("fail if the body swallowed the error of a statement, since nothing was committed", async () => {
    const attempt = t.db.tx(async (tx) => {
      await tx.run(addNote(1));
      await tx.run(addNote(1)).catch(() => undefined);
    });
    await expect(attempt).rejects.toThrow("a statement of the transaction failed: nothing was committed");
    expect(await t.db.many(Notes, allNotes)).toEqual([]);
  });

  test("refuse statements after their end", async () => {
    const tx = await t.db.tx((inner) => Promise.resolve(inner));
    await expect(tx.run(addNote(1))).rejects.toThrow("the transaction has ended");
    expect(await t.db.many(Notes, allNotes)).toEqual([]);
  });

  test("that deadlock are retried, and both take effect once", async () => {
    await t.db.run(addNote(1));
    await t.db.run(addNote(2));
    const db = open({ poolSize: 2 });
    const touch = (id: number, by: string) => sql`update notes set body = body || ${by} where id = ${id}`;
    let tries = 0;
    let bothHold = (): void => undefined;
    const met = new Promise<void>((resolve) => (bothHold = resolve));
    const crossing = (first: number, second: number, by: string) =>
      db.tx(async (tx) => {
        await tx.run(touch(first, by));
        if (++tries === 2) bothHold();
        await met;
        await tx.run(touch(second, by));
        return by;
      });
    expect(await Promise.all([crossing(1, 2, "a"), crossing(2, 1, "b")])).toEqual(["a", "b"]);
    // On a busy machine the retry can take its first lock before the other transaction wakes up, and deadlock again.
    expect(tries).toBeGreaterThanOrEqual(3);
    for (const { body } of await t.db.many(Notes, allNotes))
      expect(body.split("").toSorted()).toEqual(["a", "b"]);
  });

  test("that deadlock every time give up after five tries", async () => {
    const db = open({ poolSize: 1 });
    let tries = 0;
    const attempt = db.tx(async (tx) => {
      tries++;
      await tx.run(sql`do $$ begin raise sqlstate '40P01'; end $$`);
    });
    await expect(attempt).rejects.toSatisfy(isRetryable);
    expect(tries).toBe(5);
  });

  test("that fail otherwise are not retried", async () => {
    let tries = 0;
    await t.db.run(addNote(1));
    const attempt = t.db.tx(async (tx) => {
      tries++;
      await tx.run(addNote(1));
    });
    await expect(attempt).rejects.toSatisfy((err) => isUniqueViolation(err));
    expect(tries).toBe(1);
  });
});

describe("a connection that breaks", () => {
  test("during a transaction rejects it as unavailable, and the pool continues", async () => {
    const db = open({ poolSize: 1 });
    const attempt = db.tx(async (tx) => {
      await tx.run(addNote(1));
      await terminate(await pidOf(tx));
      await tx.run(addNote(2));
    });
    await expect(attempt).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(await db.many(Notes, allNotes)).toEqual([]);
  });

  test("just before the commit rejects the transaction too", async () => {
    const db = open({ poolSize: 1 });
    const attempt = db.tx(async (tx) => {
      await tx.run(addNote(1));
      await terminate(await pidOf(tx));
    });
    await expect(attempt).rejects.toMatchObject({ code: "ServiceUnavailable", statusCode: 503 });
    expect(await db.many(Notes, allNotes)).toEqual([]);
  });

  test("while a statement runs rejects it, with the server's reason as the cause", async () => {
    const db = open({ poolSize: 1 });
    const pid = await pidOf(db);
    const slow = db.run(sql`select pg_sleep(60)`).catch((err: unknown) => err);
    // On another connection: on the same one it could come first.
    await until(
      "the statement to run",
      async () =>
        (await t.db.run(sql`select from pg_stat_activity where pid = ${pid} and state = 'active'`)) > 0,
    );
    await terminate(pid);
    expect(await slow).toMatchObject({
      name: "DatabaseUnavailable",
      message: "The database is not available at the moment. Try again shortly.",
      cause: { code: "57P01" },
    });
    expect(await pidOf(db)).toBeGreaterThan(0);
  });

  test("while idle is logged and replaced", async () => {
    let noted = (): void => undefined;
    const warned = new Promise<void>((resolve) => (noted = resolve));
    const db = open({ poolSize: 1, log: { warn: () => noted() } });
    const pid = await pidOf(db);
    await terminate(pid);
    await warned;
    const after = await pidOf(db);
    expect(after).not.toBe(pid);
  });

  test("without an error is closed when a reply is overdue", async () => {
    const proxy = await databaseProxy(t.url);
    onTestFinished(() => proxy.close());
    const db = open({ url: proxy.url, poolSize: 1, statementTimeoutMs: 1_000, replyGraceMs: 100 });
    await db.run(addNote(1));
    proxy.freeze();
    await expect(db.run(addNote(2))).rejects.toMatchObject({ cause: { message: "Query read timeout" } });
    proxy.thaw();
    expect(await db.many(Notes, allNotes)).toEqual([{ id: 1, body: "" }]);
  });
});

describe("a database that cannot serve", () => {
  test("because nothing listens is unavailable", async () => {
    const tcp = open({ url: "postgres://x@127.0.0.1:1/x" });
    await expect(tcp.run(sql`select`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
    const socket = open({ url: "postgres://x@/x?host=%2Fnowhere" });
    await expect(socket.tx(async () => undefined)).rejects.toBeInstanceOf(DatabaseUnavailable);
  });

  test("because all connections are in use for too long is unavailable", async () => {
    const db = open({ poolSize: 1, connectTimeoutMs: 1_000 });
    await db.tx(async () => {
      await expect(db.run(sql`select`)).rejects.toBeInstanceOf(DatabaseUnavailable);
    });
  });

  test("a statement within the time limit is unavailable, and its connection survives", async () => {
    const db = open({ poolSize: 1, statementTimeoutMs: 1_000 });
    const pid = await pidOf(db);
    await expect(db.run(sql`select pg_sleep(60)`)).rejects.toMatchObject({ cause: { code: "57014" } });
    expect(await pidOf(db)).toBe(pid);
  });

  test("does not hide a wrong statement", async () => {
    await expect(t.db.run(sql`select nonsense`)).rejects.toMatchObject({ code: "42703" });
  });

  test("because it refuses the session is unavailable, whatever the reason", async () => {
    const missing = open({ url: t.url.replace(/taskyard_template_\w+/, "missing") });
    await expect(missing.run(sql`select`)).rejects.toMatchObject({ cause: { code: "3D000" } });
  });
});
