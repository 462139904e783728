import { execFile } from "node:child_process";
import { mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { list } from "tar";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { packSource } from "./source-archive.ts";

async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

const git = (folder: string, ...args: string[]) => promisify(execFile)("git", args, { cwd: folder });

async function namesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  await list({ file: path, onReadEntry: ({ path: name }) => names.push(name.replace(/^\.\//, "")) });
  return names.sort();
}

describe("without git", () => {
  test("all files are packed, links as links", async () => {
    const folder = await folderOf({ "a.txt": "a", "deep/er/b": "b", "@at": "x", "-dash": "y" });
    await symlink("a.txt", join(folder, "link"));
    const archive = await packSource(folder);
    expect(await namesIn(archive.path)).toEqual(["-dash", "@at", "a.txt", "deep/er/b", "link"]);
    expect(archive).toMatchObject({ files: 5, bytes: (await stat(archive.path)).size });
    // The magic number of gzip.
    expect((await readFile(archive.path)).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    await archive.remove();
    await expect(stat(archive.path)).rejects.toThrow("ENOENT");
  });

  test("an empty folder is an error", async () => {
    const folder = await folderOf({});
    await expect(packSource(folder)).rejects.toThrow(`--cwd-tarball: ${folder} has no files to send`);
  });

  test("a folder that is too large is refused before packing, with its largest files", async () => {
    const folder = await folderOf({ small: "x", large: "x".repeat(2000), middle: "x".repeat(500) });
    await expect(packSource(folder, 2000)).rejects.toThrow(
      "--cwd-tarball: the folder contains 2.5 kB in 3 files; the maximum is 2.0 kB.\n" +
        "Largest files:\n     2.0 kB  large\n      500 B  middle\n        1 B  small\n",
    );
  });
});

describe("in a git repository", () => {
  test("ignored and deleted files are left out, new and changed files are packed", async () => {
    const folder = await folderOf({
      ".gitignore": "build/\n*.log\n",
      "src/kept": "1",
      "src/gone": "1",
      "src/ü ☃": "1",
      "build/out": "1",
      "x.log": "1",
    });
    await git(folder, "init", "-q");
    await git(folder, "add", ".");
    await rm(join(folder, "src/gone"));
    await writeFile(join(folder, "new"), "1");
    const archive = await packSource(folder);
    expect(await namesIn(archive.path)).toEqual([".gitignore", "new", "src/kept", "src/ü ☃"]);
    await archive.remove();
  });

  test("a folder inside the repository is packed alone", async () => {
    const folder = await folderOf({
      ".gitignore": "secret\n",
      "part/a": "1",
      "part/secret": "1",
      other: "1",
    });
    await git(folder, "init", "-q");
    const archive = await packSource(join(folder, "part"));
    expect(await namesIn(archive.path)).toEqual(["a"]);
    await archive.remove();
  });
});
