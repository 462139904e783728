// Reads files from a task's folder, and never from outside it.
import { constants, type Stats } from "node:fs";
import { access, open, readdir, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { Readable } from "node:stream";
import type { Extracted } from "../../engine.ts";
import type { Range } from "../../object-upload.ts";
import { messageOf } from "../../worker-monitor.ts";

type Kind = "file" | "directory";

/** Extracts one file. `path` is relative to the folder, or absolute and inside it. */
export async function extractFile(root: string, path: string): Promise<Extracted> {
  return await extract(root, resolve(root, path), "", path);
}

/** Extracts all files below a folder. Follows symbolic links to files if they stay in the task's folder. */
export async function* extractFolder(root: string, path: string): AsyncGenerator<Extracted> {
  const top = resolve(root, path);
  const found = await locate(root, top, path, "directory");
  if ("kind" in found) yield found;
  else yield* walk(root, found.path, "", path);
}

async function* walk(root: string, folder: string, prefix: string, shown: string): AsyncGenerator<Extracted> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    yield failed(prefix, "file-not-readable-on-worker", `Folder "${shown}": ${messageOf(error)}.`);
    return;
  }
  // Sorted, so that runs of the same task log their artifacts in the same order.
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(root, join(folder, entry.name), path, `${shown}/${entry.name}`);
    // Skips symbolic links to folders, which may form a cycle, and sockets and pipes, which have no content.
    else if (entry.isFile() || (await isLinkToFile(entry.isSymbolicLink(), join(folder, entry.name))))
      yield await extract(root, join(folder, entry.name), path, `${shown}/${entry.name}`);
  }
}

async function extract(root: string, at: string, path: string, shown: string): Promise<Extracted> {
  const found = await locate(root, at, shown, "file");
  if ("kind" in found) return { ...found, path };
  const { path: identity, stats } = found;
  return {
    kind: "file",
    path,
    identity,
    size: stats.size,
    open: (range) => Readable.from(readSame(identity, stats, shown, range), { objectMode: false }),
  };
}

/**
 * Reads the file that was checked before, and refuses anything in its place: a process of the task may have replaced it
 * since. Without O_NONBLOCK, opening a named pipe would wait for a writer, and with it a thread of the worker.
 */
async function* readSame(path: string, checked: Stats, shown: string, range?: Range): AsyncGenerator<Buffer> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags);
  try {
    const now = await file.stat();
    // The number of a removed file may be given to the one in its place.
    if (!now.isFile() || now.dev !== checked.dev || now.ino !== checked.ino)
      throw new Error(`the file "${shown}" was replaced while it was being saved`);
    yield* file.createReadStream({ ...range, autoClose: false }) as AsyncIterable<Buffer>;
  } finally {
    await file.close();
  }
}

type Failed = Extract<Extracted, { kind: "error" }>;

/** Returns the real path of `at` if it is readable, of the requested kind and inside the task's folder. */
async function locate(
  root: string,
  at: string,
  shown: string,
  kind: Kind,
): Promise<{ path: string; stats: Stats } | Failed> {
  const name = `${kind === "file" ? "File" : "Folder"} "${shown}"`;
  let path: string;
  let stats: Stats;
  try {
    path = await realpath(at);
    if (!isInside(await realpath(root), path)) {
      return failed(
        "",
        "invalid-resource-on-worker",
        `${name} is outside the task's folder, or a link to such a file; copy it into the folder first.`,
      );
    }
    stats = await stat(path);
    await access(path, constants.R_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return failed("", "file-missing-on-worker", `${name} does not exist after the task's commands.`);
    }
    return failed("", "file-not-readable-on-worker", `${name} cannot be read: ${messageOf(error)}.`);
  }
  if (kind === "file" ? stats.isFile() : stats.isDirectory()) return { path, stats };
  return failed(
    "",
    "invalid-resource-on-worker",
    `${name} is not a ${kind === "file" ? "regular file" : "folder"}; see the artifact's "type" in the payload.`,
  );
}

function isInside(root: string, path: string): boolean {
  const steps = relative(root, path);
  return steps !== ".." && !steps.startsWith("../") && !isAbsolute(steps);
}

/** Reports whether a symbolic link points to a file or is broken (which is then reported), and not to a folder. */
async function isLinkToFile(isLink: boolean, path: string): Promise<boolean> {
  if (!isLink) return false;
  try {
    return (await stat(path)).isFile();
  } catch {
    return true;
  }
}

function failed(path: string, reason: Failed["reason"], message: string): Failed {
  return { kind: "error", path, reason, message };
}
