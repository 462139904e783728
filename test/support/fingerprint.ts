// Detects any change in a database by the number and content of the rows of every table.
import Type from "typebox";
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";

const Name = Type.Object({ name: Type.String() });
const Fingerprint = Type.Object({ print: Type.String() });

/** Tables that buffers write a second or two after a call, while other calls are in flight. */
const writtenBehind = ["client_uses", "workers", "task_queues", "task_queue_claims"];

/** Returns a function that returns a string for each table, which changes with any of its rows. */
export async function fingerprinter(db: Db): Promise<() => Promise<string[]>> {
  const tables = await db.many(
    Name,
    sql`
    select c.oid::regclass::text as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    order by 1`,
  );
  const parts = tables
    .filter(({ name }) => !writtenBehind.includes(name))
    .map(({ name }) =>
      // Events never change, and there are many.
      name === "events"
        ? "select 'events ' || count(*) || ' ' || coalesce(max(id), 0) as print from events"
        : `select '${name} ' || count(*) || ' ' || coalesce(sum(hashtext(t::text)::bigint), 0) as print from ${name} t`,
    );
  const query = { text: parts.join(" union all "), values: [] };
  return async () => (await db.many(Fingerprint, query)).map(({ print }) => print);
}
