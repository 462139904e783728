import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { list } from "tar";
import { describe, expect, onTestFinished, test } from "vitest";
import { notAsRoot } from "../../../test/support/only-if.ts";
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
    expect(archive.leftOut).toEqual([]);
  });

  test("what cannot be packed is listed with the reason", async () => {
    const folder = await folderOf({ "a.txt": "a", "in/b": "b" });
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), "x");
    await symlink("/etc/hostname", join(folder, "absolute"));
    await symlink("../../x", join(folder, "in/outside"));
    await symlink("../a.txt", join(folder, "in/inside"));
    await promisify(execFile)("mkfifo", [join(folder, "pipe")]);
    const archive = await packSource(folder);
    expect(await namesIn(archive.path)).toEqual(["a.txt", "in/b", "in/inside"]);
    expect(archive.leftOut.toSorted()).toEqual([
      'left out "absolute": a link to /etc/hostname, which is not a path inside of the folder',
      'left out "café": its name is not UTF-8; rename it',
      'left out "in/outside": a link to ../../x, which is not a path inside of the folder',
      'left out "pipe": a named pipe',
    ]);
    await archive.remove();
  });

  test("files and folders without permission are listed", notAsRoot, async () => {
    const folder = await folderOf({ "a.txt": "a", secret: "b", "closed/c": "c" });
    await chmod(join(folder, "secret"), 0);
    await chmod(join(folder, "closed"), 0);
    const archive = await packSource(folder);
    await chmod(join(folder, "closed"), 0o700);
    expect(archive.leftOut.toSorted()).toEqual([
      'left out "closed/": no permission to read the folder',
      'left out "secret": no permission to read it',
    ]);
    await archive.remove();
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

  test("submodules and other repositories inside are packed, and what is missing is listed", async () => {
    const folder = await folderOf({
      a: "1",
      "sparse/b": "1",
      "sparse/there": "1",
      "inner/c": "1",
      "inner/.gitignore": "d",
      "inner/d": "1",
    });
    const commit = ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"];
    await git(join(folder, "inner"), "init", "-q");
    await git(join(folder, "inner"), "add", ".");
    await git(join(folder, "inner"), ...commit);
    await git(folder, "init", "-q");
    await git(folder, "add", "a", "sparse");
    await git(folder, ...commit);
    const { stdout: head } = await git(folder, "rev-parse", "HEAD");
    await git(folder, "update-index", "--add", "--cacheinfo", `160000,${head.trim()},not-fetched`);
    await mkdir(join(folder, "not-fetched"));
    await git(folder, "update-index", "--skip-worktree", "sparse/b", "sparse/there");
    await rm(join(folder, "sparse/b"));
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), "x");
    await git(folder, "add", "caf*");
    const archive = await packSource(folder);
    expect(await namesIn(archive.path)).toEqual(["a", "inner/.gitignore", "inner/c", "sparse/there"]);
    expect(archive.leftOut.toSorted()).toEqual([
      'left out "café": its name is not UTF-8; rename it',
      'left out "not-fetched": a submodule without files; fetch them with git submodule update --init',
      'left out "sparse/b": not in this sparse checkout; add it with git sparse-checkout',
    ]);
    await archive.remove();
  });

  test("named pipes and sockets, which git does not list, are listed with the reason", async () => {
    const folder = await folderOf({
      a: "1",
      ".gitignore": "build/\n*.sock\n",
      "build/b": "1",
      "inner/c": "1",
    });
    const fifo = (name: string) => promisify(execFile)("mkfifo", [join(folder, name)]);
    await mkdir(join(folder, "new"));
    for (const name of ["pipe", "new/pipe", "inner/pipe", "build/pipe", "ignored.sock"]) await fifo(name);
    const server = createServer().listen(join(folder, "socket"));
    onTestFinished(() => void server.close());
    await once(server, "listening");
    await git(join(folder, "inner"), "init", "-q");
    await git(folder, "init", "-q");
    const archive = await packSource(folder);
    expect(await namesIn(archive.path)).toEqual([".gitignore", "a", "inner/c"]);
    expect(archive.leftOut.toSorted()).toEqual([
      'left out "inner/pipe": a named pipe',
      'left out "new/pipe": a named pipe',
      'left out "pipe": a named pipe',
      'left out "socket": a socket',
    ]);
    await archive.remove();
  });

  test("folders without permission are listed", notAsRoot, async () => {
    const folder = await folderOf({ "a.txt": "a", "closed/c": "c" });
    await git(folder, "init", "-q");
    await chmod(join(folder, "closed"), 0);
    const archive = await packSource(folder);
    await chmod(join(folder, "closed"), 0o700);
    expect(archive.leftOut).toEqual(['left out "closed/": no permission to read the folder']);
    await archive.remove();
  });

  test("a file with a merge conflict is packed once", async () => {
    const folder = await folderOf({ a: "<<<<<<<" });
    await git(folder, "init", "-q");
    const { stdout: blob } = await git(folder, "hash-object", "-w", "a");
    const stages = [1, 2, 3].map((stage) => `100644 ${blob.trim()} ${stage}\ta\n`).join("");
    await writeFile(join(folder, ".git", "stages"), stages);
    await promisify(execFile)("sh", ["-c", "git update-index --index-info < .git/stages"], { cwd: folder });
    const archive = await packSource(folder);
    expect(await namesIn(archive.path)).toEqual(["a"]);
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
