// Everything that a dump of a database would contain.
import Type from "typebox";
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";

const Name = Type.Object({ name: Type.String() });
const Row = Type.Object({ text: Type.String() });

/** Returns every row of every table as text, with bytes as hexadecimal and as text. */
export async function storedTexts(db: Db): Promise<string> {
  const tables = await db.many(
    Name,
    sql`
    select c.oid::regclass::text as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const query = { text: `select to_jsonb(t)::text as text from ${name} t`, values: [] };
    for (const { text } of await db.many(Row, query)) texts.push(text, ...bytesIn(text));
  }
  return texts.join("\n");
}

/** Returns the values of columns of type bytea as text. */
const bytesIn = (row: string): string[] =>
  [...row.matchAll(/"\\\\x((?:[0-9a-f]{2})+)"/g)].map(([, hex = ""]) =>
    Buffer.from(hex, "hex").toString("latin1"),
  );
