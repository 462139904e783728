// When `npm start` builds again.
import { mkdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { isUpToDate, writeStamp } from "../scripts/build-stamp.mjs";
import { temporaryFolder } from "./support/temporary-folder.ts";

const inputs = ["src/a.ts", "sql/1.sql", "sql"];
let root: string;
let dist: string;
beforeEach(async () => {
  root = await temporaryFolder();
  dist = join(root, "dist");
  for (const folder of ["src", "sql", "dist/client"]) await mkdir(join(root, folder), { recursive: true });
  for (const file of ["src/a.ts", "sql/1.sql", "dist/client/index.js"])
    await writeFile(join(root, file), "old");
});
const built = async (): Promise<void> => writeStamp(root, dist, inputs, Date.now() + 1000);

test("a build of the same files is up to date, even if they were touched", async () => {
  expect(await isUpToDate(root, dist)).toBe(false);
  await built();
  expect(await isUpToDate(root, dist)).toBe(true);
  await utimes(join(root, "src/a.ts"), new Date(), new Date());
  expect(await isUpToDate(root, dist)).toBe(true);
});

test.each<[string, () => Promise<void>]>([
  [
    "a file has other content, of the same size and time",
    async () => {
      const file = join(root, "src/a.ts");
      const { atime, mtime } = await stat(file);
      await writeFile(file, "new");
      await utimes(file, atime, mtime);
    },
  ],
  ["a file was removed", () => rm(join(root, "src/a.ts"))],
  ["a folder has another file", () => writeFile(join(root, "sql/2.sql"), "")],
  ["a file of the build was removed", () => rm(join(root, "dist/client/index.js"))],
  ["the stamp is broken", () => writeFile(join(root, "dist/.built-from.json"), "{")],
])("it is not if %s", async (_, change) => {
  await built();
  await change();
  expect(await isUpToDate(root, dist)).toBe(false);
});

test("a build during which a file changed is not", async () => {
  const started = Date.now() - 1000;
  await writeFile(join(root, "src/a.ts"), "new");
  await writeStamp(root, dist, inputs, started);
  expect(await isUpToDate(root, dist)).toBe(false);
});
