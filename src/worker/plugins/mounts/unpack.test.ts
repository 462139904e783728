// Archives as a hostile author could write them.
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { create, Header } from "tar";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { unpack } from "./unpack.ts";

interface Entry {
  readonly path: string;
  readonly type?: "File" | "SymbolicLink" | "Link" | "CharacterDevice";
  readonly linkpath?: string;
  readonly content?: string;
}

/** Returns a tar.gz archive with exactly these entries. */
function archiveOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = "File", linkpath, content = "" }) => {
    const head = Buffer.alloc(512);
    const size = Buffer.byteLength(content);
    new Header({ path, type, size, mode: 0o644, ...(linkpath !== undefined && { linkpath }) }).encode(
      head,
      0,
    );
    const body = Buffer.alloc(Math.ceil(size / 512) * 512);
    body.write(content);
    return [head, body];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** Unpacks an archive into a new task folder, and returns the folder and the warnings. */
async function unpacked(archive: Buffer, { directory = ".", maxBytes = 1_000_000 } = {}) {
  const root = await temporaryFolder();
  const taskDir = join(root, "work");
  await mkdir(taskDir);
  await writeFile(join(root, "a.tar.gz"), archive);
  const warnings: string[] = [];
  const again = (into: string) =>
    unpack({
      archive: join(root, "a.tar.gz"),
      taskDir,
      directory: into,
      maxBytes,
      warn: (text) => warnings.push(text),
      signal: new AbortController().signal,
    });
  await again(directory);
  return { root, taskDir, warnings, again };
}

describe("an archive", () => {
  test("is unpacked to a folder, which is created, with its links", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "d"));
    await writeFile(join(folder, "d", "f"), "content");
    await symlink("d/f", join(folder, "l"));
    const file = join(folder, "x.tar.gz");
    await create({ cwd: folder, file, gzip: true }, ["d", "l"]);
    const { taskDir, warnings } = await unpacked(await readFile(file), { directory: "a/b" });
    expect(await readFile(join(taskDir, "a/b/d/f"), "utf8")).toBe("content");
    expect(await readlink(join(taskDir, "a/b/l"))).toBe("d/f");
    expect(warnings).toEqual([]);
  });

  test("writes nothing outside of the folder, and says what was left out", async () => {
    const { root, taskDir, warnings } = await unpacked(
      archiveOf([
        { path: "../up", content: "x" },
        { path: "a/../../up", content: "x" },
        { path: "out", type: "SymbolicLink", linkpath: "/tmp" },
        { path: "out/file", content: "inside" },
        { path: "rel", type: "SymbolicLink", linkpath: "../../../etc" },
        { path: "hard", type: "Link", linkpath: "../a.tar.gz" },
        { path: "device", type: "CharacterDevice" },
        { path: "good", content: "good" },
      ]),
    );
    expect((await readdir(root)).sort()).toEqual(["a.tar.gz", "work"]);
    expect((await readdir(taskDir)).sort()).toEqual(["good", "out"]);
    expect(await readFile(join(taskDir, "out/file"), "utf8")).toBe("inside");
    expect(warnings).toEqual([
      expect.stringContaining("path contains '..'"),
      expect.stringContaining("path contains '..'"),
      "left out out: a link to /tmp, which is outside of the folder",
      "left out rel: a link to ../../../etc, which is outside of the folder",
      expect.stringContaining("linkpath contains '..'"),
      expect.stringContaining("unsupported entry type: CharacterDevice"),
    ]);
  });

  test("with more bytes than allowed is refused, however small it is when compressed", async () => {
    await expect(
      unpacked(archiveOf([{ path: "zeros", content: "0".repeat(5000) }]), { maxBytes: 4096 }),
    ).rejects.toThrow("the archive contains more than 4KiB, the limit of this worker");
  });

  test("cannot be unpacked through a link that leads out", async () => {
    const { taskDir, again } = await unpacked(archiveOf([{ path: "f", content: "f" }]));
    await symlink(dirname(taskDir), join(taskDir, "link"));
    await expect(again("link/x")).rejects.toThrow(
      "the directory link/x is a link that leads out of the task's folder",
    );
  });

  test.each([
    ["no archive", Buffer.from("this is text, and not an archive"), "Unrecognized archive format"],
    [
      "cut short",
      archiveOf([{ path: "f", content: "x".repeat(2000) }]).subarray(0, 60),
      "unexpected end of file",
    ],
    ["empty", Buffer.alloc(0), "Unrecognized archive format"],
    ["with other bytes", gzipSync(Buffer.alloc(100_000, 1)), "the archive is damaged: checksum failure"],
  ])("that is damaged is refused: %s", async (_how, archive, message) => {
    await expect(unpacked(archive)).rejects.toThrow(message);
  });

  test("with many entries that are left out has a bounded number of warnings", async () => {
    const links = Array.from({ length: 100 }, (_, i): Entry => ({
      path: `l${i}`,
      type: "SymbolicLink",
      linkpath: "/",
    }));
    const { warnings } = await unpacked(archiveOf(links));
    expect(warnings.length).toBe(21);
    expect(warnings.at(-1)).toBe("left out more entries");
  });
});
