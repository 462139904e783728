import { execFileSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { newKey, parseKey } from "./encryption-key.ts";
import { createKeyFile, currentStamp, readKeyFile, replaceKeyFile } from "./key-file.ts";

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder, "home", "keys");
});
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe("a key file", () => {
  it("is created once, only for its owner, whatever number of processes start", async () => {
    await Promise.all(Array.from({ length: 16 }, () => createKeyFile(file)));
    expect(await modeOf(file)).toBe(0o600);
    expect(await modeOf(join(folder, "home"))).toBe(0o700);
    expect(await readdir(join(folder, "home"))).toEqual(["keys"]);
    const { keys, lines } = await readKeyFile(file);
    expect(lines).toHaveLength(1);
    await createKeyFile(file);
    expect((await readKeyFile(file)).keys[0]?.id).toBe(keys[0]?.id);
  });

  it("is replaced as a whole, with the permissions that it had", async () => {
    await createKeyFile(file);
    await chmod(file, 0o640);
    const before = await readKeyFile(file);
    const added = newKey();
    await replaceKeyFile(file, [added, ...before.lines]);
    const after = await readKeyFile(file);
    expect(after.keys.map(({ id }) => id)).toEqual([parseKey(added).id, before.keys[0]?.id]);
    expect(after.stamp).not.toBe(before.stamp);
    expect(await currentStamp(file)).toBe(after.stamp);
    expect(await modeOf(file)).toBe(0o640);
    expect(await readdir(join(folder, "home"))).toEqual(["keys"]);
  });

  it("may have blank lines and spaces around the keys", async () => {
    await mkdir(join(folder, "home"));
    const key = newKey();
    await writeFile(file, `\n  ${key}\r\n\n`, { mode: 0o600 });
    expect((await readKeyFile(file)).lines).toEqual([key]);
  });

  it("is refused with a remedy if others can read it, or if it is missing, empty or damaged", async () => {
    await expect(readKeyFile(file)).rejects.toThrow(
      `the encryption keys in ${file} cannot be read: Error: ENOENT: no such file or directory`,
    );
    await mkdir(join(folder, "home"));
    execFileSync("mkfifo", ["-m", "600", file]);
    await expect(readKeyFile(file)).rejects.toThrow("is not a regular file");
    await rm(file);
    await createKeyFile(file);
    for (const mode of [0o644, 0o660, 0o602]) {
      await chmod(file, mode);
      await expect(readKeyFile(file)).rejects.toThrow(
        `other users (mode ${mode.toString(8)}). Run \`chmod 600 ${file}\``,
      );
    }
    await chmod(file, 0o600);
    const key = await readFile(file, "utf8");
    await writeFile(file, `${key}${key.slice(0, 30)}\n`);
    const damaged = await readKeyFile(file).catch(String);
    expect(damaged).toContain(`${file} is damaged: in key 2, a key must be 32 random bytes in base64`);
    expect(damaged).not.toContain(key.slice(0, 20));
    await writeFile(file, "\n");
    await expect(readKeyFile(file)).rejects.toThrow(`${file} contains no key. Restore it from a backup.`);
  });
});
