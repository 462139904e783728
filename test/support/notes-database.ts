// A database with one small table, for tests of the pool and its sessions.
import Type from "typebox";
import { afterAll, beforeAll, beforeEach, onTestFinished } from "vitest";
import { openDb, type Db, type DbOptions, type Queryable } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";
import { testDatabase, type TestDatabase } from "./db.ts";

export interface NotesDatabase {
  readonly url: string;
  /** A pool for the preparations and checks of tests. */
  readonly db: Db;
  /** Opens another pool, which is closed at the end of the test. */
  open(options?: Partial<DbOptions>): Db;
}

/** Creates the database for the tests of a file. Each test begins with an empty table. */
export function notesDatabase(): NotesDatabase {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase({ empty: true });
    await database.db.run(sql`create table notes (id int4 primary key, body text not null)`);
  });
  beforeEach(() => database.db.run(sql`truncate notes`));
  afterAll(() => database.drop());
  return {
    get url() {
      return database.url;
    },
    get db() {
      return database.db;
    },
    open(options) {
      const db = openDb({ url: database.url, checkRows: true, ...options });
      onTestFinished(() => db.close());
      return db;
    },
  };
}

export const Notes = Type.Object({ id: Type.Integer(), body: Type.String() });
export const allNotes = sql`select id, body from notes order by id`;
export const addNote = (id: number, body = "") => sql`insert into notes (id, body) values (${id}, ${body})`;

const Pid = Type.Object({ pid: Type.Integer() });

/** Returns the process id of a session of the pool, or of the session of a transaction. */
export const pidOf = async (db: Queryable): Promise<number> =>
  (await db.maybeOne(Pid, sql`select pg_backend_pid() as pid`))?.pid ?? 0;
