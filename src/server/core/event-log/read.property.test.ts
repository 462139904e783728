// Writers that commit late, abort, wait for each other and write batches; and readers that follow at different speeds and
// restart from earlier positions: no event is missing or repeated, and each key is in order.
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { countersTable, eventWriter, type EventWriter } from "../../../../test/support/event-writer.ts";
import { decodePosition, encodePosition } from "./position.ts";
import { positionNow, readEvents } from "./read.ts";

let database: TestDatabase;
const writers: EventWriter[] = [];

beforeAll(async () => {
  // Enough for concurrent readers.
  database = await testDatabase({ poolSize: 20 });
  for (let i = 0; i < 8; i++) writers.push(await eventWriter(database.url));
  await writers[0]?.run(countersTable);
  // A writer that waits longer, perhaps in a deadlock, aborts.
  await Promise.all(writers.map((writer) => writer.run("set lock_timeout = '30ms'")));
});
afterAll(async () => {
  await Promise.all(writers.map((writer) => writer.close()));
  await database.drop();
});

/** A transaction: what it writes, how many event loop iterations it waits before each step, and how it ends. */
const transaction = fc.record({
  steps: fc.array(
    fc.record({
      kind: fc.constantFrom("count", "batch", "publish"),
      key: fc.constantFrom("k1", "k2", "k3", "k4"),
      wait: fc.oneof(fc.constant(0), fc.nat(20)),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  wait: fc.oneof(fc.constant(0), fc.nat(100)),
  commits: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
});
type Transaction = typeof transaction extends fc.Arbitrary<infer T> ? T : never;

const reader = fc.record({
  limit: fc.constantFrom(1, 2, 3, 7, 1000),
  wait: fc.nat(50),
  /** The number of events to discard after each page and read again from an earlier position. */
  discard: fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }),
});
type Reader = typeof reader extends fc.Arbitrary<infer T> ? T : never;

/**
 * PostgreSQL ends a wait by a signal to the process itself. If the lock is granted just then, it reports that "a user" canceled
 * the statement (57014): 2 of 69,742 lock timeouts of eight sessions that no one else could cancel.
 */
const lockTimeout = /^(55P03|57014)$/;

async function iterations(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

/** Counts several keys in one statement. */
const countBatch = `
  with counted as (
    insert into counters as c (key, n) select k, 1 from unnest($1::text[]) k
    on conflict (key) do update set n = c.n + 1 returning key, n
  )
  insert into events (exchange, routing_key, payload) select 'exchange/test/v1/counted', key, key || ' ' || n from counted`;

async function write(
  writer: EventWriter,
  { steps, wait, commits }: Transaction,
  name: string,
): Promise<void> {
  try {
    await writer.run("begin");
    for (const [i, step] of steps.entries()) {
      await iterations(step.wait);
      if (step.kind === "count") await writer.count(step.key);
      else if (step.kind === "publish") await writer.append(`${name} ${i}`);
      else await writer.run(countBatch, [i % 2 === 0 ? [step.key, "k0"] : ["k0", step.key]]);
    }
    await iterations(wait);
    await writer.run(commits ? "commit" : "rollback");
  } catch (err) {
    await writer.run("rollback");
    expect(err).toMatchObject({ code: expect.stringMatching(lockTimeout) });
  }
}

/** Reads until the writers have ended and no event is left. Returns ids with payloads. */
async function follow(
  { limit, wait, discard }: Reader,
  from: string,
  isOver: () => boolean,
): Promise<string[]> {
  const had: { text: string; position: string }[] = [];
  let position = from;
  for (let pages = 0; ; pages++) {
    const over = isOver();
    const page = await readEvents(database.db, decodePosition(position), limit);
    position = encodePosition(page.position);
    for (const event of page.events)
      had.push({ text: `${event.id} ${event.payload}`, position: encodePosition(event.position) });
    const discarded = had.splice(had.length - Math.min(had.length, discard[pages % discard.length] ?? 0));
    if (discarded.length > 0) position = had.at(-1)?.position ?? from;
    // Stops discarding at the end, or it would never finish.
    if (over) discard = [0];
    if (over && page.caughtUp && discarded.length === 0) return had.map(({ text }) => text);
    await iterations(wait);
  }
}

test("readers miss and repeat nothing and keep the order of each key", async () => {
  const seen = { events: 0, inversions: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(transaction, { minLength: 3, maxLength: 12 }), { minLength: 8, maxLength: 8 }),
      fc.array(reader, { minLength: 3, maxLength: 6 }),
      async (work, readers) => {
        const [admin] = writers;
        await admin?.run("truncate counters");
        const from = encodePosition(await positionNow(database.db));
        const [before] = (await admin?.run("select coalesce(max(id), 0) as id from events")) ?? [];

        let over = false;
        const following = readers.map((r) => follow(r, from, () => over));
        await Promise.all(
          work.map(async (transactions, w) => {
            const writer = writers[w];
            if (!writer) throw new Error("too few writers");
            for (const [i, t] of transactions.entries()) await write(writer, t, `w${w} t${i}`);
          }),
        );
        over = true;

        const rows =
          (await admin?.run("select id || ' ' || payload as text from events where id > $1 order by id", [
            before?.["id"],
          ])) ?? [];
        const expected = rows.map(({ text }) => String(text));
        for (const had of await Promise.all(following)) {
          expect([...had].sort()).toEqual([...expected].sort());
          expect(countsByKey(had)).toEqual(countsByKey(expected));
        }
        for (const [key, counts] of countsByKey(expected))
          expect(counts, `${key} is logged in the order of its changes`).toEqual(counts.map((_, i) => i + 1));
        seen.events += expected.length;
        seen.inversions += Number(
          (
            await admin?.run(
              `select count(*) as n from events a join events b on a.routing_key = b.routing_key
               where a.id > $1 and b.id > a.id and b.xid < a.xid and a.routing_key <> 'primary'`,
              [before?.["id"]],
            )
          )?.[0]?.["n"],
        );
      },
    ),
    { numRuns: 10, endOnFailure: true },
  );
  // Proves that the test is hard enough: so many events would be out of order if sorted by transaction id.
  expect(seen.events).toBeGreaterThan(300);
  expect(seen.inversions).toBeGreaterThan(0);
}, 180_000);

/** Maps keys to their counts in the order of delivery: `k1` → 1, 2, 3 … */
function countsByKey(texts: readonly string[]): Map<string, number[]> {
  const counts = new Map<string, number[]>();
  for (const text of texts) {
    const [, key = "", n = ""] = text.split(" ");
    if (key.startsWith("k")) counts.set(key, [...(counts.get(key) ?? []), Number(n)]);
  }
  return counts;
}
