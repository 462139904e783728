// A connection on which a test writes events in explicit transactions, so that it controls when they become visible.
import pg from "pg";

export interface EventWriter {
  /** Runs one statement. */
  run(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Inserts one event with this payload. */
  append(payload: string): Promise<void>;
  /** Increments a counter and writes the event `<key> <count>` in the same statement, as services do for a task. */
  count(key: string): Promise<void>;
  close(): Promise<void>;
}

/** Creates the table that `count` needs. */
export const countersTable = "create table if not exists counters (key text primary key, n integer not null)";

export async function eventWriter(url: string): Promise<EventWriter> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  const run: EventWriter["run"] = async (text, values = []) =>
    (await client.query<Record<string, unknown>>(text, values)).rows;
  return {
    run,
    async append(payload) {
      await run(
        "insert into events (exchange, routing_key, payload) values ('exchange/test/v1/x', 'primary', $1)",
        [payload],
      );
    },
    async count(key) {
      await run(
        `with counted as (
           insert into counters as c (key, n) values ($1, 1) on conflict (key) do update set n = c.n + 1 returning key, n
         )
         insert into events (exchange, routing_key, payload)
         select 'exchange/test/v1/counted', key, key || ' ' || n from counted`,
        [key],
      );
    },
    close: () => client.end(),
  };
}
