import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { makeTemporaryFolder } from "../../test/support/temporary-folder.ts";
import { makeFolder } from "./make-folder.ts";

let outer: string;
beforeEach(async () => {
  outer = await makeTemporaryFolder();
});

it("creates the parents with the same mode, and returns the first folder that did not exist", async () => {
  const path = join(outer, "a/b/c");
  expect(await makeFolder(path, 0o700)).toBe(join(outer, "a"));
  for (const each of ["a", "a/b", "a/b/c"]) expect((await stat(join(outer, each))).mode & 0o777).toBe(0o700);
  expect(await makeFolder(path)).toBeUndefined();
  expect(await makeFolder(join(path, "d"))).toBe(join(path, "d"));
});

it("may be called concurrently", async () => {
  const path = join(outer, "a/b/c");
  await Promise.all(Array.from({ length: 10 }, () => makeFolder(path)));
  expect((await stat(path)).isDirectory()).toBe(true);
});

it("rejects where the system creates no folders, with the path", async () => {
  await writeFile(join(outer, "file"), "");
  await mkdir(join(outer, "folder"));
  for (const [path, code] of [
    [join(outer, "file"), "EEXIST"],
    [join(outer, "file/a/b"), "ENOTDIR"],
    // `mkdir` with `recursive` never ends here.
    ["/proc/taskyard/a", "ENOENT"],
  ] as const)
    await expect(makeFolder(path)).rejects.toMatchObject({ code, syscall: "mkdir" });
});
