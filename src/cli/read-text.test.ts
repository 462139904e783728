import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { capturedIo } from "../../test/support/captured-io.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { readText } from "./read-text.ts";

test("a file is read relative to the current folder, and - is standard input", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "a.yml"), "ä: 1");
  const io = capturedIo({ cwd, stdin: "b: 2" });
  expect(await readText("a.yml", io)).toBe("ä: 1");
  expect(await readText("-", io)).toBe("b: 2");
});

test("the error states why a file cannot be read, and endless input is refused", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "latin.yml"), Buffer.from("caf\xe9", "latin1"));
  const io = capturedIo({ cwd });
  await expect(readText("nowhere.yml", io)).rejects.toThrow("file not found: nowhere.yml");
  await expect(readText(".", io)).rejects.toThrow(". is a folder: name a file in it");
  await expect(readText("/dev/zero", io)).rejects.toThrow("/dev/zero is larger than the limit of 64 MiB");
  await expect(readText("latin.yml", io)).rejects.toThrow("latin.yml must be UTF-8 text");
});
