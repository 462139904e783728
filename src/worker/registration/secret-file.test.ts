import { spawnSync } from "node:child_process";
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { onlyIf } from "../../../test/support/only-if.ts";
import { makeTemporaryFolder } from "../../../test/support/temporary-folder.ts";
import { newSecret } from "../../../test/support/worker-pool.ts";
import { readSecretFile } from "./secret-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await makeTemporaryFolder();
});

const secret = newSecret();
async function secretFile(text: string, mode = 0o600): Promise<string> {
  const path = join(folder, `secret-${mode.toString(8)}-${text.length}`);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

describe("the file with a secret", () => {
  it("may have space around the secret", async () => {
    expect(await readSecretFile(await secretFile(`\n ${secret}\r\n`))).toBe(secret);
    expect(await readSecretFile(await secretFile(secret, 0o400))).toBe(secret);
  });

  it.each([0o640, 0o604, 0o620, 0o602])("must not be accessible to others, with mode %o", async (mode) => {
    const path = await secretFile(secret, mode);
    await expect(readSecretFile(path)).rejects.toThrow(
      `other users can read or change the secret file ${path} (mode ${mode.toString(8)}): run \`chmod 600 ${path}\``,
    );
  });

  it.each(["", secret.slice(1), `${secret}a`, `${secret}\n${secret}`, "x".repeat(2000)])(
    "must have one secret and nothing else, and its content is not quoted: %j",
    async (text) => {
      const refused = readSecretFile(await secretFile(text));
      await expect(refused).rejects.toThrow(
        /must contain a secret of 44 characters .*nothing else, but it has \d+/,
      );
      await expect(refused).rejects.not.toThrow(secret.slice(1));
    },
  );

  it("must exist, and be a regular file", async () => {
    const missing = join(folder, "missing");
    await expect(readSecretFile(missing)).rejects.toThrow(
      `the secret file ${missing} does not exist: write the secret into it, or correct --secret-file`,
    );
    const [inside, pipe] = [join(folder, "folder"), join(folder, "pipe")];
    await mkdir(inside);
    spawnSync("mkfifo", [pipe]);
    for (const path of [inside, pipe])
      await expect(readSecretFile(path)).rejects.toThrow(
        `cannot read the secret file ${path}: ${path} is not a regular file. Correct --secret-file`,
      );
  });

  describe("read by root", onlyIf(process.getuid?.() === 0, "it needs root"), () => {
    it("must belong to root", async () => {
      const path = join(folder, "of-another");
      await writeFile(path, secret, { mode: 0o600 });
      await chown(path, 12_345, 12_345);
      await expect(readSecretFile(path)).rejects.toThrow(
        "belongs to another user (id 12345), who can read it",
      );
    });
  });
});
