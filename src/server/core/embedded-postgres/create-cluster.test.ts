import { execFileSync } from "node:child_process";
import { mkdir, readdir, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { onlyAsRoot, onlyWithMounts } from "../../../../test/support/only-if.ts";
import { findPackage, prepareBinaries } from "./binaries.ts";
import { createCluster, createDataDir, createSocketFolder } from "./create-cluster.ts";
import { clusterUser } from "./system-user.ts";
import { canEnter } from "../../../lib/system-users.ts";

const nobody = { uid: 65534, gid: 65534 };

describe("the data directory", () => {
  test("is private if PostgreSQL runs as the current user", async () => {
    const folder = path.join(await temporaryFolder(), "home", "postgres");
    expect(await createDataDir(folder, undefined)).toBe(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test("may be a symbolic link", async () => {
    const base = await temporaryFolder();
    await mkdir(path.join(base, "disk"));
    await symlink(path.join(base, "disk"), path.join(base, "postgres"));
    expect(await createDataDir(path.join(base, "postgres"), undefined)).toBe(path.join(base, "disk"));
  });

  test("is refused, and not created again, if it is a dangling link", async () => {
    const folder = path.join(await temporaryFolder(), "postgres");
    await symlink("/nowhere/at/all", folder);
    await expect(createDataDir(folder, undefined)).rejects.toThrow(
      `${folder} is a link to a folder that does not exist. Restore the folder, or remove the link to start with no data.`,
    );
  });
});

describe("the data directory if PostgreSQL runs as another user", onlyAsRoot, () => {
  /** Creates a private folder like /root, for a home. */
  async function privateHome() {
    const base = await temporaryFolder();
    const owner = path.join(base, "private");
    await mkdir(owner, { mode: 0o700 });
    return { base, folder: path.join(owner, "home", "postgres"), elsewhere: path.join(base, "elsewhere") };
  }

  test("is in another location, with a link to it, if that user cannot enter the home", async () => {
    const { base, folder, elsewhere } = await privateHome();
    const dataDir = await createDataDir(folder, nobody, elsewhere);
    expect(path.dirname(dataDir)).toBe(elsewhere);
    expect(await readlink(folder)).toBe(dataDir);
    expect(await canEnter(nobody, dataDir)).toBe(true);
    expect((await stat(path.join(base, "private"))).mode & 0o777).toBe(0o700);
    expect(await createDataDir(folder, nobody, elsewhere)).toBe(dataDir);
  });

  test("is a new one after the home was removed", async () => {
    const { folder, elsewhere } = await privateHome();
    const first = await createDataDir(folder, nobody, elsewhere);
    await rm(path.dirname(folder), { recursive: true });
    expect(await createDataDir(folder, nobody, elsewhere)).not.toBe(first);
    expect(await readdir(elsewhere)).toHaveLength(2);
  });

  test("is in the home if only the home was private, which others may then enter but not list", async () => {
    const home = path.join(await temporaryFolder(), "home");
    await mkdir(home, { mode: 0o700 });
    const folder = path.join(home, "postgres");
    expect(await createDataDir(folder, nobody, "/nowhere")).toBe(folder);
    expect((await stat(home)).mode & 0o777).toBe(0o711);
  });

  test("is refused if it has become inaccessible", async () => {
    const { base, folder, elsewhere } = await privateHome();
    const open = path.join(base, "open");
    await mkdir(open);
    await createDataDir(path.join(open, "home", "postgres"), nobody, elsewhere);
    await mkdir(path.join(open, "home", "postgres", "data"));
    await mkdir(path.dirname(path.dirname(folder)), { recursive: true });
    await rename(path.join(open, "home"), path.dirname(folder));
    await expect(createDataDir(folder, nobody, elsewhere)).rejects.toThrow(
      `The user that runs PostgreSQL (uid 65534, since it refuses root) cannot enter ${folder}.`,
    );
  });
});

test("a disk that is full at the first start is reported in one line", onlyWithMounts, async () => {
  const disk = await temporaryFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=755", "none", disk]);
  onTestFinished(() => void execFileSync("umount", [disk]));
  const cluster = path.join(disk, "data");
  const user = await clusterUser(cluster);
  const binaries = await prepareBinaries(findPackage(), await temporaryFolder(), user);
  await expect(createCluster(cluster, binaries, user)).rejects.toThrow(
    new Error(
      `PostgreSQL's database cannot be created in ${disk}: the disk is full. Free some space there, or set TASKYARD_HOME to a ` +
        "folder on another disk.",
    ),
  );
  expect(await readdir(disk)).toEqual([]);
});

describe("the folder of the socket", () => {
  test("is in the data directory, and private", async () => {
    const dataDir = await temporaryFolder();
    const { folder, temporary } = await createSocketFolder(dataDir, undefined);
    expect({ folder, temporary }).toEqual({ folder: path.join(dataDir, "run"), temporary: false });
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test("is a temporary folder if the path would be too long for a socket", async () => {
    const dataDir = path.join(await temporaryFolder(), "x".repeat(100));
    await mkdir(dataDir);
    const { folder, temporary } = await createSocketFolder(dataDir, undefined);
    onTestFinished(() => rm(folder, { recursive: true }));
    expect(temporary).toBe(true);
    expect(folder.length).toBeLessThan(40);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });
});
