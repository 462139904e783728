import Type from "typebox";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { exchange, keyWord, primaryWord, reservedWord } from "../../../api/exchange.ts";
import { exactly, named } from "../../../api/schema.ts";
import { service } from "../../../api/service.ts";
import { sql, type Sql } from "../sql.ts";
import { publishersOf } from "./index.ts";

const api = service({
  name: "toys",
  version: "v2",
  title: "Toys",
  description: "A service of this test.",
  endpoints: {},
  exchanges: {
    sold: exchange({
      exchange: "toy-sold",
      name: "sold",
      title: "Toy sold",
      description: "A toy was sold.",
      routingKey: [
        primaryWord,
        keyWord("toy", "The toy.", true),
        keyWord("shop", "The shop.", false),
        reservedWord,
      ],
      message: named("v1/toy-sold.json", exactly({ toy: Type.String(), price: Type.Integer() })),
    }),
  },
});
const { sold } = publishersOf(api);

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const Row = Type.Object({
  exchange: Type.String(),
  routing_key: Type.String(),
  cc: Type.Array(Type.String()),
  payload: Type.String(),
});
/** Runs a statement that publishes. Returns the events that it wrote. */
async function eventsOf(statement: Sql) {
  await database.db.run(sql`truncate events`);
  await database.db.run(statement);
  return database.db.many(Row, sql`select exchange, routing_key, cc, payload from events order by id`);
}

describe("the routing key", () => {
  const Key = Type.Object({ key: Type.String() });
  const keyOf = async (key: Sql) => (await database.db.maybeOne(Key, sql`select ${key} as key`))?.key;

  it("has the declared words in their order, from values and expressions", async () => {
    expect(await keyOf(sold.routingKey({ shop: "s", toy: 7 }))).toBe("primary.7.s._");
    expect(await keyOf(sold.routingKey({ shop: sql`lower('S')`, toy: sql`${"t"}::text` }))).toBe(
      "primary.t.s._",
    );
  });

  it("has _ for words that are not always known, if they are omitted or null", async () => {
    expect(await keyOf(sold.routingKey({ toy: "t" }))).toBe("primary.t._._");
    expect(await keyOf(sold.routingKey({ toy: sql`'t'`, shop: sql`null::text` }))).toBe("primary.t._._");
  });

  it("needs the words that are always known", () => {
    // @ts-expect-error The compiler reports it too.
    expect(() => sold.routingKey({ shop: "s" })).toThrow(
      "an event sold needs the word toy of its routing key",
    );
    // @ts-expect-error There is no such word.
    sold.routingKey({ toy: "t", color: "red" });
    // @ts-expect-error Constant words are not given.
    sold.routingKey({ toy: "t", routingKeyKind: "primary" });
  });
});

describe("an event", () => {
  it("has the exchange's full name, whose type is literal", () => {
    expect(sold.exchange).toBe("exchange/taskcluster-toys/v2/toy-sold");
    expectTypeOf(sold.exchange).toEqualTypeOf<"exchange/taskcluster-toys/v2/toy-sold">();
  });

  it("is published by a statement of its own", async () => {
    const message = { toy: 'it\'s "new"', price: 5 };
    expect(await eventsOf(sold.publish({ toy: "t" }, message, { routes: ["a.b", "c"] }))).toEqual([
      {
        exchange: sold.exchange,
        routing_key: "primary.t._._",
        cc: ["a.b", "c"],
        payload: JSON.stringify(message),
      },
    ]);
    // @ts-expect-error A message must match the declared schema.
    sold.publish({ toy: "t" }, { toy: "t" });
  });

  it("is published for each row of a statement that changes something, in their order", async () => {
    const logged = sold.publish({ toy: sql`toy` }, sql`'{"toy":"' || toy || '"}'`, {
      routes: sql`array['route']`,
      from: sql`from changed order by toy desc`,
    });
    const events = await eventsOf(sql`
      with changed as (select * from unnest(${["a", "b"]}::text[]) as c (toy)), logged as (${logged})
      select from changed`);
    expect(events).toMatchObject([
      { routing_key: "primary.b._._", cc: ["route"], payload: '{"toy":"b"}' },
      { routing_key: "primary.a._._", cc: ["route"], payload: '{"toy":"a"}' },
    ]);
  });

  it("can be one row of a larger select", async () => {
    const event = sold.event({ toy: "t" }, { toy: "t", price: 1 });
    const events = await eventsOf(sql`
      insert into events (exchange, routing_key, cc, payload)
      select 'first', 'key', '{}'::text[], 'text' union all select ${event}`);
    expect(events.map((row) => row.exchange).toSorted()).toEqual([sold.exchange, "first"]);
  });
});
