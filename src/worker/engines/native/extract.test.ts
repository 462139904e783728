import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { notAsRoot } from "../../../../test/support/only-if.ts";
import type { Extracted } from "../../engine.ts";
import { extractFile, extractFolder } from "./extract.ts";

let outside: string;
let root: string;
beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), "taskyard-extract-"));
  root = join(outside, "work");
  await mkdir(join(root, "dir/sub"), { recursive: true });
  // A sibling folder whose name starts with that of the task's folder.
  await mkdir(join(outside, "work-of-another"));
  await writeFile(join(outside, "work-of-another/secret"), "secret");
  await writeFile(join(outside, "secret"), "secret");
  await writeFile(join(root, "dir/b.txt"), "bee");
  await writeFile(join(root, "dir/sub/a.txt"), "ay");
});
afterEach(async () => {
  await rm(outside, { recursive: true, force: true });
});

async function brief(found: Extracted): Promise<string> {
  if (found.kind === "omitted") return `${found.path} omitted: ${found.message}`;
  return found.kind === "file"
    ? `${found.path}=${await text(found.open())}`
    : `${found.path}: ${found.reason}: ${found.message}`;
}
async function folder(path: string): Promise<string[]> {
  const all: string[] = [];
  for await (const found of extractFolder(root, path)) all.push(await brief(found));
  return all;
}

describe("one file", () => {
  test("is found by a relative or an absolute path", async () => {
    expect(await brief(await extractFile(root, "dir/b.txt"))).toBe("=bee");
    expect(await brief(await extractFile(root, join(root, "dir/b.txt")))).toBe("=bee");
  });

  test("may be reached by a link that stays in the folder", async () => {
    await symlink("sub/a.txt", join(root, "dir/link"));
    const found = await extractFile(root, "dir/link");
    expect(found).toMatchObject({ kind: "file", size: 2, identity: join(root, "dir/sub/a.txt") });
  });

  test.each([
    [
      "does not exist",
      "dir/none",
      "file-missing-on-worker",
      'File "dir/none" does not exist after the task\'s commands.',
    ],
    ["lies below a file", "dir/b.txt/x", "file-missing-on-worker", "does not exist"],
    ["is a folder", "dir", "invalid-resource-on-worker", 'File "dir" is not a regular file'],
    [
      "is outside",
      "../secret",
      "invalid-resource-on-worker",
      'File "../secret" is outside the task\'s folder',
    ],
    ["is in a sibling folder", "../work-of-another/secret", "invalid-resource-on-worker", "is outside"],
    ["is elsewhere on the machine", "/etc/passwd", "invalid-resource-on-worker", "is outside"],
  ])("that %s is an error", async (_, path, reason, message) => {
    const found = await extractFile(root, path);
    expect(found).toMatchObject({ kind: "error", reason });
    expect(found.kind === "error" && found.message).toContain(message);
  });

  test("that is a link to the outside is an error, directly or through a linked folder", async () => {
    await symlink("../../secret", join(root, "dir/out"));
    await symlink("../work-of-another", join(root, "sibling"));
    for (const path of ["dir/out", "sibling/secret"]) {
      expect(await extractFile(root, path)).toMatchObject({ reason: "invalid-resource-on-worker" });
    }
  });

  test("that is a pipe is an error, without waiting for a writer", async () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    expect(await extractFile(root, "pipe")).toMatchObject({ reason: "invalid-resource-on-worker" });
  });

  test("that is not readable is an error", notAsRoot, async () => {
    await chmod(join(root, "dir/b.txt"), 0);
    expect(await extractFile(root, "dir/b.txt")).toMatchObject({ reason: "file-not-readable-on-worker" });
  });

  // A named pipe without a writer would block the thread that opens it.
  test.each([
    ["a link", "ELOOP", (path: string) => symlink(join(outside, "secret"), path)],
    ["a named pipe", "was replaced", (path: string) => Promise.resolve(execFileSync("mkfifo", [path]))],
    ["another file of the same size", "was replaced", (path: string) => writeFile(path, "bug")],
  ])("that became %s after it was checked is not read", async (_, message, replace) => {
    const path = join(root, "dir/b.txt");
    const found = await extractFile(root, "dir/b.txt");
    if (found.kind !== "file") throw new Error(found.message);
    // Keeps its number from being reused.
    await rename(path, join(outside, "moved"));
    await replace(path);
    await expect(text(found.open())).rejects.toThrow(message);
  });
});

/** Makes `dir` a link to a folder outside, in which the path of `dir/sub/a.txt` leads to the same file. */
async function linkOutside(): Promise<void> {
  const elsewhere = join(outside, "work-of-another");
  await mkdir(join(elsewhere, "sub"));
  await link(join(root, "dir/sub/a.txt"), join(elsewhere, "sub/a.txt"));
  await rename(join(root, "dir"), join(outside, "moved"));
  await symlink(elsewhere, join(root, "dir"));
}

test("a file is not read if a folder above it has become a link to the outside", async () => {
  const found = await extractFile(root, "dir/sub/a.txt");
  if (found.kind !== "file") throw new Error(found.message);
  await linkOutside();
  await expect(text(found.open())).rejects.toThrow("was replaced");
});

test("a folder is not listed if one above it has become a link to the outside", async () => {
  const found = extractFolder(root, "dir");
  expect(await found.next()).toMatchObject({ value: { path: "b.txt" } });
  await linkOutside();
  const rest: string[] = [];
  for await (const one of found) rest.push(await brief(one));
  expect(rest).toEqual([
    'sub: file-not-readable-on-worker: Folder "dir/sub" was replaced or changed while it was being saved: let no process of the task change it after the commands.',
  ]);
});

describe("a folder", () => {
  test("yields all files below it, sorted, with their paths relative to it", async () => {
    await mkdir(join(root, "dir/empty"));
    expect(await folder("dir")).toEqual(["b.txt=bee", "sub/a.txt=ay"]);
    expect(await folder(".")).toEqual(["dir/b.txt=bee", "dir/sub/a.txt=ay"]);
  });

  test("yields an error in place of a link that leaves the task's folder, and the other files", async () => {
    await symlink("../../secret", join(root, "dir/out"));
    await symlink("nowhere", join(root, "dir/sub/dangling"));
    expect(await folder("dir")).toEqual([
      "b.txt=bee",
      `out: invalid-resource-on-worker: File "dir/out" is outside the task's folder, or a link to such a file; copy it into the folder first.`,
      "sub/a.txt=ay",
      `sub/dangling: file-missing-on-worker: File "dir/sub/dangling" does not exist after the task's commands.`,
    ]);
  });

  test("follows links to folders in the task's folder, and names those that it does not follow", async () => {
    await symlink("..", join(root, "dir/sub/up"));
    await symlink("/etc", join(root, "dir/sub/etc"));
    await mkdir(join(root, "other/loop"), { recursive: true });
    await writeFile(join(root, "other/c.txt"), "see");
    await symlink("../../dir", join(root, "other/loop/back"));
    await symlink("../other", join(root, "dir/other"));
    execFileSync("mkfifo", [join(root, "dir/pipe")]);
    expect(await folder("dir")).toEqual([
      "b.txt=bee",
      "other/c.txt=see",
      'other/loop/back omitted: "dir/other/loop/back" is a link to a folder that contains it',
      'pipe omitted: "dir/pipe" is a socket, a pipe or a device, which has no content',
      "sub/a.txt=ay",
      'sub/etc omitted: "dir/sub/etc" is a link to a folder outside the task\'s folder',
      'sub/up omitted: "dir/sub/up" is a link to a folder that contains it',
    ]);
  });

  test("follows a limited number of links, which could lead to each other in endless ways", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `d${i}`);
    for (const name of names) await mkdir(join(root, "web", name), { recursive: true });
    for (const [i, name] of names.entries())
      for (const link of ["x", "y"]) await symlink(`../d${i + 1}`, join(root, "web", name, link));
    await rm(join(root, "web/d11/x"));
    await rm(join(root, "web/d11/y"));
    const all = await folder("web");
    expect(all.at(-1)).toContain("comes after 1000 other links to folders");
    expect(all.length).toBeLessThan(5000);
  });

  test.each([
    ["is missing", "none", "file-missing-on-worker"],
    ["is a file", "dir/b.txt", "invalid-resource-on-worker"],
    ["is outside", "..", "invalid-resource-on-worker"],
  ])("that %s is one error", async (_, path, reason) => {
    const found: Extracted[] = [];
    for await (const one of extractFolder(root, path)) found.push(one);
    expect(found).toMatchObject([{ kind: "error", path: "", reason }]);
  });
});
