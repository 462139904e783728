import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadOrCreateLocalSecrets } from "./local-secrets.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskyard-secrets-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("loadOrCreateLocalSecrets", () => {
  it("creates secrets at the first start, only for the owner, and keeps them", async () => {
    const home = join(folder, "new", "home");
    const created = await loadOrCreateLocalSecrets(home);
    expect(created.rootAccessToken).toMatch(/^[A-Za-z0-9_-]{44}$/);
    expect(created.secret).toMatch(/^[A-Za-z0-9_-]{44}$/);
    expect(created.secret).not.toBe(created.rootAccessToken);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    expect((await stat(join(home, "secrets.json"))).mode & 0o777).toBe(0o600);
    expect(await loadOrCreateLocalSecrets(home)).toEqual(created);
  });

  it("returns the same secrets to concurrent processes, and leaves no temporary files", async () => {
    const all = await Promise.all(Array.from({ length: 16 }, () => loadOrCreateLocalSecrets(folder)));
    expect(new Set(all.map(({ rootAccessToken }) => rootAccessToken)).size).toBe(1);
    expect(JSON.parse(await readFile(join(folder, "secrets.json"), "utf8"))).toEqual(all[0]);
    expect(await readdir(folder)).toEqual(["secrets.json"]);
  });

  it("refuses a file that other users can read, with a remedy", async () => {
    await loadOrCreateLocalSecrets(folder);
    const file = join(folder, "secrets.json");
    await chmod(file, 0o640);
    await expect(loadOrCreateLocalSecrets(folder)).rejects.toThrow(
      `${file} can be read or changed by other users (mode 640). Run \`chmod 600 ${file}\``,
    );
    await chmod(file, 0o600);
    await loadOrCreateLocalSecrets(folder);
  });

  it.each(["", "{", '{"rootAccessToken":"short","secret":"0123456789012345678901"}'])(
    "refuses a damaged file (%j) without replacing or showing it",
    async (content) => {
      const file = join(folder, "secrets.json");
      await writeFile(file, content, { mode: 0o600 });
      await expect(loadOrCreateLocalSecrets(folder)).rejects.toThrow(
        /^\S+secrets.json is damaged: restore it, or delete/,
      );
      expect(await readFile(file, "utf8")).toBe(content);
    },
  );

  it("reports the path of a folder that cannot be read", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(loadOrCreateLocalSecrets(join(folder, "file"))).rejects.toThrow(
      /ENOTDIR: not a directory, open '.*secrets.json'/,
    );
  });
});
