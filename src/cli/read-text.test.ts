import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { capturedIo } from "../../test/support/captured-io.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { readText } from "./read-text.ts";

test("a file is read from the folder where we are, or from standard input", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "a.yml"), "ä: 1");
  const io = capturedIo({ cwd, stdin: "b: 2" });
  expect(await readText("a.yml", io)).toBe("ä: 1");
  expect(await readText("-", io)).toBe("b: 2");
});

test("what cannot be read is told in words, and what has no end is given up", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "latin.yml"), Buffer.from("caf\xe9", "latin1"));
  const io = capturedIo({ cwd });
  await expect(readText("nowhere.yml", io)).rejects.toThrow("there is no file nowhere.yml");
  await expect(readText(".", io)).rejects.toThrow(". is a folder, not a file");
  await expect(readText("/dev/zero", io)).rejects.toThrow("/dev/zero is larger than 64 MiB");
  await expect(readText("latin.yml", io)).rejects.toThrow("latin.yml is no text in UTF-8");
});
