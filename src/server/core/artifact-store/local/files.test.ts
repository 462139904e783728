import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { hostileName } from "../../../../../test/support/hostile-names.ts";
import { slugid } from "../../../../lib/slugid.ts";
import type { StoreKey } from "../index.ts";
import { openFolder, type ArtifactFiles } from "./files.ts";

const clock = manualClock();
let outer: string;
let files: ArtifactFiles;
beforeEach(async () => {
  outer = await mkdtemp(join(tmpdir(), "taskyard-files-"));
  files = await openFolder(join(outer, "store"), clock);
});
afterEach(() => rm(outer, { recursive: true, force: true }));

async function write(key: StoreKey, text: string): Promise<void> {
  const upload = await files.startUpload();
  await upload.bytes.appendFile(text);
  await upload.commit(key, { contentType: "text/plain", size: text.length, sha256: "-", stored: "-" });
  await upload.discard();
}

async function readText(key: StoreKey): Promise<string | undefined> {
  const found = await files.read(key);
  if (!found) return undefined;
  try {
    return await found.bytes.readFile("utf8");
  } finally {
    await found.bytes.close();
  }
}

async function allPaths(): Promise<string[]> {
  return (await readdir(outer, { recursive: true })).sort();
}

describe("the folder", () => {
  it("copies exactly the given upload, and the copy is independent of later uploads and deletions", async () => {
    const upload = { object: "../a", uploadId: slugid() };
    const content = { object: "../a", contentId: slugid() };
    await write(upload, "one");
    const { file = "" } = (await files.describe(upload)) ?? {};
    expect(await files.copy(upload, content, file)).toBe(true);
    await write(upload, "two");
    expect(await files.copy(upload, content, file)).toBe(false);
    expect([await readText(upload), await readText(content)]).toEqual(["two", "one"]);
    expect(await files.delete([upload])).toEqual([]);
    expect(await files.copy(upload, content, file)).toBe(false);
    expect([await readText(upload), await readText(content)]).toEqual([undefined, "one"]);
    expect(await files.delete([content])).toEqual([]);
    expect(await allPaths()).toEqual(["store", "store/uploads"]);
  });

  it("refuses named pipes in place of its files, which would block a thread for every reader", async () => {
    const key = { taskId: slugid(), runId: 0, name: "a" };
    const folder = join(outer, "store", "tasks", key.taskId.slice(0, 2), key.taskId, "0");
    for (const isReplaced of [/\.[0-9a-f]{24}$/, /\.json$/]) {
      await write(key, "one");
      const name = (await readdir(folder)).find((file) => isReplaced.test(file)) ?? "";
      await rm(join(folder, name));
      execFileSync("mkfifo", [join(folder, name)]);
      await expect(files.read(key)).rejects.toThrow("is not a regular file");
      expect(await files.delete([key])).toEqual([]);
    }
  });

  it("stores every name separately and inside the folder, and deletes it without a trace", async () => {
    const taskId = slugid();
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(hostileName, { minLength: 1, maxLength: 8 }), async (names) => {
        const keys = names.map((name) => ({ taskId, runId: 0, name }));
        for (const key of keys) await write(key, `content of ${key.name}`);
        for (const key of keys) expect(await readText(key)).toBe(`content of ${key.name}`);

        const paths = await allPaths();
        expect(await readdir(outer)).toEqual(["store"]);
        const folder = join("store", "tasks", taskId.slice(0, 2), taskId, "0");
        const inside = paths
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1));
        expect(inside).toHaveLength(2 * names.length);
        // The files are distinct even if case and trailing dots are ignored.
        expect(new Set(inside.map((file) => file.toLowerCase().replace(/[. ]+$/, ""))).size).toBe(
          inside.length,
        );
        for (const file of inside)
          expect(file).toMatch(/^[0-9a-f]{32}-[A-Za-z0-9._-]{0,60}\.(json|[0-9a-f]{24})$/);

        expect(await files.delete(keys)).toEqual([]);
        for (const key of keys) expect(await readText(key)).toBeUndefined();
        expect((await allPaths()).filter((path) => path.includes(taskId))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("separates tasks whose ids differ only in case", async () => {
    const one = { taskId: "abcdefghQabcdefghijkAA", runId: 0, name: "x" };
    const other = { ...one, taskId: "ABCDEFGHQabcdefghijkAA" };
    await write(one, "one");
    await write(other, "other");
    const names = (await allPaths())
      .filter((path) => path.endsWith(".json"))
      .map((path) => path.split("/").at(-1));
    expect(new Set(names).size).toBe(2);
    expect([await readText(one), await readText(other)]).toEqual(["one", "other"]);
  });

  it("refuses keys that are not a valid run of a task", async () => {
    for (const key of [
      { taskId: "..", runId: 0, name: "x" },
      { taskId: "../../../../../etc/abc", runId: 0, name: "x" },
      { taskId: slugid(), runId: -1, name: "x" },
      { taskId: slugid(), runId: 0.5, name: "x" },
    ])
      await expect(files.read(key)).rejects.toThrow(
        `${key.taskId}/${key.runId} is not a valid run of a task`,
      );
  });

  it("returns matching bytes and description while both are being replaced", async () => {
    const key = { taskId: slugid(), runId: 3, name: "public/log" };
    await write(key, "0");
    let writing = true;
    /** Returns the sizes that one reader saw. */
    const reader = async (): Promise<number[]> => {
      const sizes: number[] = [];
      while (writing) {
        const found = await files.read(key);
        if (!found) throw new Error("the artifact was missing for a moment");
        expect((await found.bytes.stat()).size).toBe(found.description.size);
        sizes.push(found.description.size);
        await found.bytes.close();
      }
      return sizes;
    };
    const readers = [reader(), reader()];
    for (let size = 1; size < 60; size++) await write(key, "x".repeat(size));
    writing = false;
    for (const sizes of await Promise.all(readers)) {
      expect(sizes.length).toBeGreaterThan(1);
      expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    }
    expect(await readText(key)).toBe("x".repeat(59));
  });

  it("throws an error if the file with the bytes is missing", async () => {
    const key = { taskId: slugid(), runId: 0, name: "x" };
    await write(key, "x");
    const lost = (await allPaths()).find((path) => path.includes("-x.") && !path.endsWith(".json"));
    await rm(join(outer, lost ?? ""));
    await expect(files.read(key)).rejects.toThrow(
      `a file of the artifact store is missing: ${join(outer, lost ?? "")}`,
    );
  });

  it("that cannot be used is reported with what to do", async () => {
    await writeFile(join(outer, "file"), "");
    await expect(openFolder(join(outer, "file"), clock)).rejects.toThrow(
      `The folder of the artifacts ${join(outer, "file")} cannot be used: ${join(outer, "file", "uploads")}: a part of the path is ` +
        "not a folder (ENOTDIR). Make it a folder that this user can write, or set artifacts.dir to another one.",
    );
  });

  it("removes uploads of processes that have died, and no others", async () => {
    const uploads = join(outer, "store", "uploads");
    await mkdir(uploads, { recursive: true });
    for (const [name, age] of [
      ["dead", 61],
      ["alive", 59],
    ] as const) {
      await writeFile(join(uploads, name), "x");
      const at = new Date(clock.now() - age * 60_000);
      await utimes(join(uploads, name), at, at);
    }
    await openFolder(join(outer, "store"), clock);
    expect(await readdir(uploads)).toEqual(["alive"]);
  });
});
