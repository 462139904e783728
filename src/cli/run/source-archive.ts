// Packs the current folder for `--cwd-tarball`.
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { create } from "tar";
import { counted } from "../../lib/counted.ts";
import { CliError } from "../cli-error.ts";
import { byteSize } from "../format.ts";
import { makeTemporaryFolder } from "../temporary-folder.ts";
import { listSource, type SourceFile } from "./source-files.ts";

export interface SourceArchive {
  readonly path: string;
  readonly bytes: number;
  readonly files: number;
  /** A sentence for each file that is left out, although git does not ignore it. */
  readonly leftOut: readonly string[];
  remove(): Promise<void>;
}

/** Limit before compression. Anything larger is most likely a build folder that was included by mistake. */
const maxSourceBytes = 1_000_000_000;

/** Packs `folder` into a temporary file. Throws if it is empty or too large; the error lists the largest files. */
export async function packSource(folder: string, maxBytes = maxSourceBytes): Promise<SourceArchive> {
  const { files, leftOut } = await listSource(folder);
  if (files.length === 0)
    // oxlint-disable-next-line messages/next-step -- the first line names it
    throw new CliError(
      [
        `--cwd-tarball: ${folder} has no files to send: run the command in the folder that the task needs`,
        ...leftOut.slice(0, 10),
      ].join("\n"),
    );
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  // oxlint-disable-next-line messages/next-step -- tooLarge names it
  if (total > maxBytes) throw new CliError(tooLarge(total, maxBytes, files));

  const temporary = await makeTemporaryFolder("taskyard-source-");
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
    return { path, bytes: (await stat(path)).size, files: files.length, leftOut, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function tooLarge(total: number, maxBytes: number, files: readonly SourceFile[]): string {
  const largest = files.toSorted((a, b) => b.bytes - a.bytes).slice(0, 5);
  return [
    `--cwd-tarball: the folder contains ${byteSize(total)} in ${counted(files.length, "file")}; the maximum is ${byteSize(maxBytes)}.`,
    "Largest files:",
    ...largest.map(({ name, bytes }) => `  ${byteSize(bytes).padStart(9)}  ${name}`),
    "Exclude them with a .gitignore in a git repository, or run in a smaller folder.",
  ].join("\n");
}
