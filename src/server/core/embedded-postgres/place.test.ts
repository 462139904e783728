import { mkdir, readdir, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { makePlace, makeSocketFolder } from "./place.ts";
import { canEnter } from "./system-user.ts";

const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };

describe("the place of a cluster", () => {
  test("is private where we run PostgreSQL ourselves", async () => {
    const folder = path.join(await temporaryFolder(), "home", "postgres");
    expect(await makePlace(folder, undefined)).toBe(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test("may be a link to somewhere else", async () => {
    const base = await temporaryFolder();
    await mkdir(path.join(base, "disk"));
    await symlink(path.join(base, "disk"), path.join(base, "postgres"));
    expect(await makePlace(path.join(base, "postgres"), undefined)).toBe(path.join(base, "disk"));
  });

  test("is refused, and not made anew, where its link leads nowhere", async () => {
    const folder = path.join(await temporaryFolder(), "postgres");
    await symlink("/nowhere/at/all", folder);
    await expect(makePlace(folder, undefined)).rejects.toThrow(
      `${folder} is a link to a folder that is gone. Restore it, or remove the link to start empty.`,
    );
  });
});

describe.runIf(isRoot)("the place of a cluster that another user runs", () => {
  /** A folder like /root, with a home in it. */
  async function privateHome() {
    const base = await temporaryFolder();
    const owner = path.join(base, "private");
    await mkdir(owner, { mode: 0o700 });
    return { base, folder: path.join(owner, "home", "postgres"), elsewhere: path.join(base, "elsewhere") };
  }

  test("is elsewhere, behind a link, where the user cannot get at it", async () => {
    const { base, folder, elsewhere } = await privateHome();
    const place = await makePlace(folder, nobody, elsewhere);
    expect(path.dirname(place)).toBe(elsewhere);
    expect(await readlink(folder)).toBe(place);
    expect(await canEnter(nobody, place)).toBe(true);
    expect((await stat(path.join(base, "private"))).mode & 0o777).toBe(0o700);
    expect(await makePlace(folder, nobody, elsewhere)).toBe(place);
  });

  test("is a new one after its home was removed", async () => {
    const { folder, elsewhere } = await privateHome();
    const first = await makePlace(folder, nobody, elsewhere);
    await rm(path.dirname(folder), { recursive: true });
    expect(await makePlace(folder, nobody, elsewhere)).not.toBe(first);
    expect(await readdir(elsewhere)).toHaveLength(2);
  });

  test("stays in its home where the home alone was closed: others may pass through, not look around", async () => {
    const home = path.join(await temporaryFolder(), "home");
    await mkdir(home, { mode: 0o700 });
    const folder = path.join(home, "postgres");
    expect(await makePlace(folder, nobody, "/nowhere")).toBe(folder);
    expect((await stat(home)).mode & 0o777).toBe(0o711);
  });

  test("is refused where it has become unreachable since", async () => {
    const { base, folder, elsewhere } = await privateHome();
    const open = path.join(base, "open");
    await mkdir(open);
    await makePlace(path.join(open, "home", "postgres"), nobody, elsewhere);
    await mkdir(path.join(open, "home", "postgres", "data"));
    await mkdir(path.dirname(path.dirname(folder)), { recursive: true });
    await rename(path.join(open, "home"), path.dirname(folder));
    await expect(makePlace(folder, nobody, elsewhere)).rejects.toThrow(
      `The user that runs PostgreSQL (uid 65534, since it refuses root) cannot enter ${folder}.`,
    );
  });
});

describe("the folder of the socket", () => {
  test("is in the place, and private", async () => {
    const place = await temporaryFolder();
    const { folder, temporary } = await makeSocketFolder(place, undefined);
    expect({ folder, temporary }).toEqual({ folder: path.join(place, "run"), temporary: false });
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test("is a temporary one where the path would be too long for a socket", async () => {
    const place = path.join(await temporaryFolder(), "x".repeat(100));
    await mkdir(place);
    const { folder, temporary } = await makeSocketFolder(place, undefined);
    onTestFinished(() => rm(folder, { recursive: true }));
    expect(temporary).toBe(true);
    expect(folder.length).toBeLessThan(40);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });
});
