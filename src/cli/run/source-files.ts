// Lists the files of a folder that `--cwd-tarball` sends: those that git tracks or would add; outside a repository, all.
// Whatever cannot be sent is listed with the reason, because a task that lacks a file fails far from the cause.
import { execFile } from "node:child_process";
import { access, constants, lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { leadsOut } from "../../worker/plugins/mounts/unpack.ts";
import { unlistedFiles } from "./unlisted-files.ts";

export interface SourceFile {
  /** Relative to the folder. */
  readonly name: string;
  readonly bytes: number;
}

export interface SourceFiles {
  readonly files: readonly SourceFile[];
  /** A sentence for each file or folder that is left out, although git does not ignore it. */
  readonly leftOut: readonly string[];
}

/** A file in the listing of git or of a folder, before it is looked at. */
interface Listed {
  readonly name: string;
  /** Why it cannot be sent. */
  readonly fault?: string;
}

const unreadableFolder = "no permission to read the folder";

/** Lists the files. Files that git tracks and that were deleted are neither sent nor reported. */
export async function listSource(folder: string): Promise<SourceFiles> {
  const listed = (await gitFiles(folder, "")) ?? (await allFiles(folder, ""));
  const files: SourceFile[] = [];
  const leftOut: string[] = [];
  const found = await Promise.all(
    listed.map(async ({ name, fault }) => (fault === undefined ? inspect(folder, name) : { name, fault })),
  );
  for (const file of found)
    if (file && "fault" in file) leftOut.push(`left out ${JSON.stringify(file.name)}: ${file.fault}`);
    else if (file) files.push(file);
  return { files, leftOut };
}

/** Returns the size of a file or link, or why it cannot be sent. Returns undefined if it does not exist. */
async function inspect(folder: string, name: string): Promise<SourceFile | Required<Listed> | undefined> {
  const path = join(folder, name);
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) {
    const target = await readlink(path);
    return leadsOut(name, target)
      ? { name, fault: `a link to ${target}, which is not a path inside of the folder` }
      : { name, bytes: found.size };
  }
  if (!found.isFile()) return { name, fault: kindOf(found) };
  const isReadable = await access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
  return isReadable ? { name, bytes: found.size } : { name, fault: "no permission to read it" };
}

function kindOf(found: Awaited<ReturnType<typeof lstat>>): string {
  if (found.isFIFO()) return "a named pipe";
  if (found.isSocket()) return "a socket";
  return found.isDirectory() ? "a folder" : "a device";
}

/**
 * Lists tracked and untracked files that are not ignored, with those of submodules and other repositories inside. Returns
 * undefined without git or a repository. `prefix` comes before each name.
 */
async function gitFiles(folder: string, prefix: string): Promise<Listed[] | undefined> {
  const args = ["ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard"];
  const options = { cwd: folder, maxBuffer: 256 * 1024 * 1024, encoding: "buffer" } as const;
  const output = await promisify(execFile)("git", args, options).catch(() => undefined);
  if (output === undefined) return undefined;
  const lists = await Promise.all(split(output.stdout).map((line) => entriesOf(line, folder, prefix)));
  const { special, unreadable } = await unlistedFiles(folder);
  const all = [
    ...unreadable.map((name) => ({ name: prefix + name, fault: unreadableFolder })),
    ...special.map((name) => ({ name: prefix + name })),
    ...lists.flat(),
  ];
  // Git lists a file with a merge conflict once for each version.
  return [...new Map(all.map((entry) => [entry.name, entry])).values()];
}

/** Returns the files of a line of `git ls-files`: the name comes after a letter for the state, and a space. */
async function entriesOf(line: Buffer, folder: string, prefix: string): Promise<readonly Listed[]> {
  const state = String.fromCodePoint(line[0] ?? 0);
  const { name, fault } = decode(line.subarray(2));
  const full = prefix + name.replace(/\/$/, "");
  if (fault !== undefined) return [{ name: full, fault }];
  const path = join(folder, name);
  if (await isDirectory(path)) return repositoryFiles(path, full);
  // Not checked out, as in sparse checkouts.
  if (state === "S" && !(await exists(path)))
    return [{ name: full, fault: "not in this sparse checkout; add it with git sparse-checkout" }];
  return [{ name: full }];
}

/** Lists the files of a submodule, or of another repository in the folder. */
async function repositoryFiles(folder: string, name: string): Promise<readonly Listed[]> {
  if (!(await exists(join(folder, ".git"))))
    return [{ name, fault: "a submodule without files; fetch them with git submodule update --init" }];
  return (
    (await gitFiles(folder, `${name}/`)) ?? [{ name, fault: "git cannot list the files of this repository" }]
  );
}

async function allFiles(folder: string, prefix: string): Promise<Listed[]> {
  const entries = await readdir(folder, { withFileTypes: true, encoding: "buffer" }).catch(
    (error: NodeJS.ErrnoException) => {
      if (prefix === "") throw error;
      return undefined;
    },
  );
  if (!entries) return [{ name: prefix, fault: unreadableFolder }];
  const lists = await Promise.all(
    entries.map(async (entry) => {
      const { name, fault } = decode(entry.name);
      const full = prefix + name;
      if (fault !== undefined) return [{ name: full, fault }];
      return entry.isDirectory() ? allFiles(join(folder, name), `${full}/`) : [{ name: full }];
    }),
  );
  return lists.flat();
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

const isDirectory = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Splits at NUL bytes. */
function split(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    parts.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return parts;
}

/** Decodes a name. Archives are written with names in UTF-8, and other names would become different ones. */
function decode(bytes: Buffer): Listed {
  try {
    return { name: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { name: bytes.toString("latin1"), fault: "its name is not UTF-8; rename it" };
  }
}
