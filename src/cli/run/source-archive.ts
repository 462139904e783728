// Packs the current folder for `--cwd-tarball`: the files that git tracks or would add; outside a repository, all files.
import { execFile } from "node:child_process";
import { lstat, mkdtemp, opendir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { create } from "tar";
import { CliError } from "../cli-error.ts";
import { byteSize } from "../format.ts";

export interface SourceArchive {
  readonly path: string;
  readonly bytes: number;
  readonly files: number;
  remove(): Promise<void>;
}

/** Limit before compression. Anything larger is most likely a build folder that was included by mistake. */
const maxSourceBytes = 1_000_000_000;

/** Packs `folder` into a temporary file. Throws if it is empty or too large; the error lists the largest files. */
export async function packSource(folder: string, maxBytes = maxSourceBytes): Promise<SourceArchive> {
  const names = (await gitFiles(folder)) ?? (await allFiles(folder));
  const sizes = await Promise.all(names.map(async (name) => sizeOf(folder, name)));
  const files = sizes.filter((file) => file !== undefined);
  if (files.length === 0) throw new CliError(`--cwd-tarball: ${folder} has no files to send`);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) throw new CliError(tooLarge(total, maxBytes, files));

  const temporary = await mkdtemp(join(tmpdir(), "taskyard-source-"));
  const path = join(temporary, "source.tar.gz");
  const remove = (): Promise<void> => rm(temporary, { recursive: true, force: true });
  try {
    // `portable` omits owners, which mean nothing on the worker's machine.
    const options = { cwd: folder, file: path, gzip: true, portable: true, noDirRecurse: true };
    await create(
      options,
      // tar treats a name that starts with @ as an archive to copy from.
      files.map(({ name }) => (name.startsWith("@") ? `./${name}` : name)),
    );
    return { path, bytes: (await stat(path)).size, files: files.length, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Lists tracked and untracked files that are not ignored. Returns undefined without git or a repository. */
async function gitFiles(folder: string): Promise<string[] | undefined> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
  try {
    const { stdout } = await promisify(execFile)("git", args, { cwd: folder, maxBuffer: 256 * 1024 * 1024 });
    return stdout.split("\0").filter((name) => name !== "");
  } catch {
    return undefined;
  }
}

async function allFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (entry.isFile() || entry.isSymbolicLink())
      names.push(relative(folder, join(entry.parentPath, entry.name)));
  }
  return names;
}

/** Returns undefined for anything that cannot be packed: a tracked file that was deleted, a submodule, a socket. */
async function sizeOf(folder: string, name: string): Promise<{ name: string; bytes: number } | undefined> {
  const found = await lstat(join(folder, name)).catch(() => undefined);
  return found?.isFile() || found?.isSymbolicLink() ? { name, bytes: found.size } : undefined;
}

function tooLarge(
  total: number,
  maxBytes: number,
  files: readonly { name: string; bytes: number }[],
): string {
  const largest = files.toSorted((a, b) => b.bytes - a.bytes).slice(0, 5);
  return [
    `--cwd-tarball: the folder contains ${byteSize(total)} in ${files.length} files; the maximum is ${byteSize(maxBytes)}.`,
    "Largest files:",
    ...largest.map(({ name, bytes }) => `  ${byteSize(bytes).padStart(9)}  ${name}`),
    "Exclude them with a .gitignore in a git repository, or run in a smaller folder.",
  ].join("\n");
}
