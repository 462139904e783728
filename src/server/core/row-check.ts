// Checks rows against their schemas, so that any test of a statement detects a mismatch with its row type.
import { Type, type Static, type TObject } from "typebox";
import { compiledSchema } from "./compiled-schema.ts";
import type { Sql } from "./sql.ts";
import { InternalError } from "../../lib/internal-error.ts";

/** The row type of a timestamptz column: a Date. Statements that return the wire format build its text in SQL. */
export const Timestamp = Type.Refine(
  Type.Unsafe<Date>({}),
  (value) => value instanceof Date,
  () => "must be a Date",
);

/** The row type of a bytea column. */
export const Bytes = Type.Refine(
  Type.Unsafe<Buffer>({}),
  (value) => Buffer.isBuffer(value),
  () => "must be a Buffer",
);

/** Throws if the row does not match its schema or has a column that the schema does not declare. */
export function assertRow<T extends TObject>(schema: T, row: unknown, query: Sql): asserts row is Static<T> {
  const faults = compiledSchema(schema)
    .Errors(row)
    .map((error) => `${error.instancePath.slice(1) || "the row"}: ${error.message}`);
  for (const column of Object.keys(row ?? {})) {
    if (!(column in schema.properties)) faults.push(`${column}: the schema does not declare this column`);
  }
  if (faults.length === 0) return;
  throw new InternalError(
    `A row does not match its schema: ${faults.join("; ")}\nrow: ${JSON.stringify(row)}\nstatement: ${query.text}`,
  );
}
