// The plans of the statements that a connection has prepared.
import Type from "typebox";
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";

const Statement = Type.Object({ name: Type.String(), statement: Type.String(), parameters: Type.Integer() });
const Line = Type.Object({ "QUERY PLAN": Type.String() });

/** Returns the plans of the prepared statements whose text matches. The pool must have one connection. */
export async function plansOf(db: Db, matches: (text: string) => boolean): Promise<string[]> {
  const statements = await db.many(
    Statement,
    sql`select name, statement, cardinality(parameter_types) as parameters from pg_prepared_statements`,
  );
  const plans: string[] = [];
  for (const { name, statement, parameters } of statements.filter((row) => matches(row.statement))) {
    // Plans are generic here, so that the values do not matter.
    const values = Array.from({ length: parameters }, () => "null").join(", ");
    const text = `explain execute "${name}" ${values && `(${values})`}`;
    const lines = await db.many(Line, { text, values: [] });
    plans.push(`${statement}\n\n${lines.map((line) => line["QUERY PLAN"]).join("\n")}`);
  }
  return plans;
}
