// A disk that is full for PostgreSQL: files that it is going to extend are links to /dev/full, where each write fails
// with ENOSPC. So the errors are real, and the disk of the machine is not touched.
import { rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Type } from "typebox";
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";

const Path = Type.Object({ path: Type.String() });
const Folder = Type.Object({ folder: Type.String() });

/** Makes every insert into an empty table fail. Returns a function that frees the disk. */
export async function fillDiskUnder(db: Db, table: string): Promise<() => Promise<void>> {
  const row = await db.maybeOne(
    Path,
    sql`select current_setting('data_directory') || '/' || pg_relation_filepath(${table}::regclass) as path`,
  );
  if (row === undefined) throw new Error(`no table ${table}`);
  await rename(row.path, `${row.path}.kept`);
  await symlink("/dev/full", row.path);
  return async () => rename(`${row.path}.kept`, row.path);
}

/** Makes temporary files of these sessions fail. Returns a function that frees the disk. */
export async function fillTemporaryDiskOf(db: Db, pids: readonly number[]): Promise<() => Promise<void>> {
  const row = await db.maybeOne(
    Folder,
    sql`select current_setting('data_directory') || '/base/pgsql_tmp' as folder`,
  );
  // PostgreSQL creates the folder with the first temporary file.
  await db.tx(async (tx) => {
    await tx.run(sql`set local work_mem = '64kB'`);
    await tx.run(sql`select count(*) from generate_series(1, 20000)`);
  });
  const folder = row?.folder ?? "";
  const links = pids.flatMap((pid) =>
    Array.from({ length: 20 }, (_, i) => join(folder, `pgsql_tmp${pid}.${i}`)),
  );
  for (const link of links) await symlink("/dev/full", link);
  return async () => {
    for (const link of links) await rm(link, { force: true });
  };
}
