// Reads files from a task's folder, and never from outside it.
import { constants, type Stats } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { Readable } from "node:stream";
import { codeOf } from "../../../lib/error-code.ts";
import type { Extracted } from "../../engine.ts";
import { systemFault } from "../../../lib/system-fault.ts";
import { listSame, readSame, replaced } from "./read-same.ts";

type Kind = "file" | "directory";

/** Extracts one file. `path` is relative to the folder, or absolute and inside it. */
export async function extractFile(root: string, path: string): Promise<Extracted> {
  return await extract(root, resolve(root, path), "", path);
}

/**
 * Extracts all files below a folder. Follows symbolic links to files and folders that stay in the task's folder. Yields what is
 * not followed, and what has no content, as omitted.
 */
export async function* extractFolder(root: string, path: string): AsyncGenerator<Extracted> {
  const top = resolve(root, path);
  const found = await locate(root, top, path, "directory");
  if ("kind" in found) yield found;
  else yield* walk({ root, links: 0 }, { at: found.path, path: "", shown: path, above: [found.path] });
}

interface Walk {
  readonly root: string;
  /** The number of links to folders that were followed. */
  links: number;
}

interface Folder {
  readonly at: string;
  /** Relative to the requested folder. */
  readonly path: string;
  /** As the author of the task would write it. */
  readonly shown: string;
  /** The real paths of this folder and of those that led to it. */
  readonly above: readonly string[];
}

// Links that lead to each other in many ways would never end otherwise.
const maxLinks = 1000;

async function* walk(state: Walk, { at, path: prefix, shown, above }: Folder): AsyncGenerator<Extracted> {
  let entries;
  try {
    entries = await listSame(at);
  } catch (error) {
    yield failed(prefix, "file-not-readable-on-worker", `Folder "${shown}": ${systemFault(error)}.`);
    return;
  }
  if (entries === undefined) {
    yield failed(prefix, "file-not-readable-on-worker", replaced(`Folder "${shown}"`));
    return;
  }
  // Sorted, so that runs of the same task log their artifacts in the same order.
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const child = {
      at: join(at, entry.name),
      path: prefix === "" ? entry.name : `${prefix}/${entry.name}`,
      shown: `${shown}/${entry.name}`,
    };
    if (entry.isDirectory()) yield* walk(state, { ...child, above: [...above, child.at] });
    else if (entry.isFile()) yield await extract(state.root, child.at, child.path, child.shown);
    else if (entry.isSymbolicLink()) yield* followLink(state, { ...child, above });
    else yield omitted(child, "is a socket, a pipe or a device, which has no content");
  }
}

async function* followLink(state: Walk, link: Folder): AsyncGenerator<Extracted> {
  let target: string;
  let isFolder: boolean;
  try {
    target = await realpath(link.at);
    isFolder = (await stat(target)).isDirectory();
  } catch {
    // Broken links are reported as missing files.
    yield await extract(state.root, link.at, link.path, link.shown);
    return;
  }
  if (!isFolder) yield await extract(state.root, link.at, link.path, link.shown);
  else if (!isInside(await realpath(state.root), target))
    yield omitted(link, "is a link to a folder outside the task's folder");
  else if (link.above.includes(target)) yield omitted(link, "is a link to a folder that contains it");
  else if (++state.links > maxLinks) yield omitted(link, `comes after ${maxLinks} other links to folders`);
  else yield* walk(state, { ...link, at: target, above: [...link.above, target] });
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
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") {
      return failed("", "file-missing-on-worker", `${name} does not exist after the task's commands.`);
    }
    return failed("", "file-not-readable-on-worker", `${name} cannot be read: ${systemFault(error)}.`);
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

const omitted = ({ path, shown }: Pick<Folder, "path" | "shown">, why: string): Extracted => ({
  kind: "omitted",
  path,
  message: `"${shown}" ${why}`,
});

function failed(path: string, reason: Failed["reason"], message: string): Failed {
  return { kind: "error", path, reason, message };
}
