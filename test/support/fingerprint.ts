// Whether anything in a database changed: numbers and contents of the rows of every table.
import Type from "typebox";
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";

const Name = Type.Object({ name: Type.String() });
const Print = Type.Object({ print: Type.String() });

/** What calls that were fine are noted in a second later, while other calls are under way. */
const later = ["workers", "task_queues", "task_queue_claims"];

/** A function that answers a text for each table, which changes with any of its rows. */
export async function fingerprinter(db: Db): Promise<() => Promise<string[]>> {
  const tables = await db.many(
    Name,
    sql`
    select c.oid::regclass::text as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    order by 1`,
  );
  const parts = tables
    .filter(({ name }) => !later.includes(name))
    .map(({ name }) =>
      // Events are never changed, and there are many.
      name === "events"
        ? "select 'events ' || count(*) || ' ' || coalesce(max(id), 0) as print from events"
        : `select '${name} ' || count(*) || ' ' || coalesce(sum(hashtext(t::text)::bigint), 0) as print from ${name} t`,
    );
  const query = { text: parts.join(" union all "), values: [] };
  return async () => (await db.many(Print, query)).map(({ print }) => print);
}
