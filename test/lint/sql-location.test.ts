// The SQL of a service is where CONTRIBUTING says: in its store files, shared fragments and the checks of the watchdog.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const services = join(import.meta.dirname, "../../src/server/services");

const importsSql = (source: string): boolean =>
  /import (?!type )[^;]*from "[./]*\/core\/sql\.ts"/.test(source);

const mayHaveSql = (file: string): boolean =>
  /(^|\/)(store\.ts|store\/[^/]+\.ts|sql\/[^/]+\.ts|watchdog\/check\.ts|watchdog\/checks\/[^/]+\.ts)$/.test(
    file,
  );

it("recognizes a file that imports the tag for SQL", () => {
  expect(importsSql('import { sql, type Sql } from "../../core/sql.ts";')).toBe(true);
  expect(importsSql('import type { Sql } from "../../core/sql.ts";')).toBe(false);
});

it("the statements of services are in store files, shared fragments and checks", () => {
  const files = readdirSync(services, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .filter((file) => importsSql(readFileSync(join(services, file), "utf8")));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => !mayHaveSql(file))).toEqual([]);
});
