// The door to PostgreSQL: typed queries on a pool, transactions, and what happens when connections break.
import pg from "pg";
import type { Static, TObject } from "typebox";
import { Compile } from "typebox/compile";
import type { Sql } from "./sql.ts";

/** What both the pool and an open transaction offer. */
export interface Queryable {
  /** Every row, typed by (and in tests checked against) the given row schema. */
  many<T extends TObject>(row: T, query: Sql): Promise<Static<T>[]>;
  /** The first row, or undefined where there is none. */
  maybeOne<T extends TObject>(row: T, query: Sql): Promise<Static<T> | undefined>;
  /** Runs a statement for its effect; answers the number of rows it touched. */
  run(query: Sql): Promise<number>;
}

export interface Db extends Queryable {
  /** Runs `body` in one transaction (READ COMMITTED): committed if it resolves, rolled back if it rejects. */
  tx<R>(body: (tx: Queryable) => Promise<R>): Promise<R>;
  close(): Promise<void>;
}
