// A file with encryption keys, one per line. The first one encrypts.
import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { link, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { newKey, parseKey, type EncryptionKey } from "./encryption-key.ts";
import { makeFolder } from "../../../lib/make-folder.ts";
import { openRegularFile } from "../../../lib/open-regular-file.ts";

/** The content of a key file at some time. */
export interface KeyFile {
  readonly keys: readonly EncryptionKey[];
  /** The keys as written, in the same order. */
  readonly lines: readonly string[];
  /** Differs after the file was replaced or changed. */
  readonly stamp: string;
}

/** Reads a key file. Throws an error that says what to do if it is missing, damaged, or open to other users. */
export async function readKeyFile(file: string): Promise<KeyFile> {
  const handle = await openRegularFile(file).catch((err: unknown) => {
    throw new Error(
      `the encryption keys in ${file} cannot be read: ${String(err)}. Restore the file from a backup, or correct its path or ` +
        `permissions. A new instance has none yet: create the file with \`(umask 077 && openssl rand -base64 32 > ${file})\`.`,
      { cause: err },
    );
  });
  try {
    const info = await handle.stat({ bigint: true });
    const mode = Number(info.mode) & 0o777;
    // Readable by a group, since orchestrators mount secrets that way.
    if ((mode & 0o027) !== 0 && process.platform !== "win32") {
      throw new Error(
        `${file} can be read or changed by other users (mode ${mode.toString(8)}). Run \`chmod 600 ${file}\`. ` +
          "If those users are not trusted, replace the keys with `taskyard encryption rotate` afterwards.",
      );
    }
    const lines = (await handle.readFile("utf8"))
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    if (lines.length === 0)
      throw new Error(
        `${file} contains no key. Restore it from a backup. For a new instance, run \`openssl rand -base64 32 > ${file}\`.`,
      );
    return { keys: lines.map((line, i) => parsed(line, i, file)), lines, stamp: stampOf(info) };
  } finally {
    await handle.close();
  }
}

function parsed(line: string, index: number, file: string): EncryptionKey {
  try {
    return parseKey(line);
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err);
    throw new Error(`${file} is damaged: in key ${index + 1}, ${why}. Restore the file from a backup.`, {
      cause: err,
    });
  }
}

/** Returns the stamp of the file as it is now. */
export const currentStamp = async (file: string): Promise<string> =>
  stampOf(await stat(file, { bigint: true }));

const stampOf = (info: { ino: bigint; size: bigint; mtimeNs: bigint }): string =>
  [info.ino, info.size, info.mtimeNs].join(" ");

/** Creates the file with a new key unless it exists. Concurrent processes get the same key. */
export async function createKeyFile(file: string): Promise<void> {
  await makeFolder(dirname(file), 0o700);
  const draft = await writeDraft(file, [newKey()]);
  try {
    // Unlike a rename, a link does not replace an existing file: the first one wins, and readers see a complete file.
    await link(draft, file);
  } catch (err) {
    if (!(err instanceof Error && "code" in err && err.code === "EEXIST")) throw err;
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(file);
}

/** Replaces the file atomically. When it resolves, the file survives a power loss. */
export async function replaceKeyFile(file: string, lines: readonly string[]): Promise<void> {
  const draft = await writeDraft(file, lines, await stat(file));
  try {
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(file);
}

/** Writes the keys beside the file. `like` has the permissions of the file that the draft will replace. */
async function writeDraft(file: string, lines: readonly string[], like?: Stats): Promise<string> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    // The servers may run as another user than the one who rotates the keys.
    const own = await handle.stat();
    if (like && (like.uid !== own.uid || like.gid !== own.gid)) await handle.chown(like.uid, like.gid);
    if (like) await handle.chmod(like.mode & 0o777);
    await handle.writeFile(lines.map((line) => `${line}\n`).join(""));
    await handle.sync();
  } catch (err) {
    await rm(draft, { force: true });
    throw new Error(
      `${file} cannot be replaced: ${String(err)}. Run the command as the owner of the file, or as root.`,
      { cause: err },
    );
  } finally {
    await handle.close();
  }
  return draft;
}

/** How long ago a draft was written that nobody will put in place. */
const ABANDONED_MS = 60_000;

/** Removes the drafts that killed processes left beside the file, since they contain keys. */
export async function removeDrafts(file: string): Promise<void> {
  const folder = dirname(file);
  for (const name of await readdir(folder)) {
    const suffix = name.startsWith(`${basename(file)}.`) ? name.slice(basename(file).length) : "";
    if (!/^\.\d+\.[0-9a-f]{12}$/.test(suffix)) continue;
    const draft = join(folder, name);
    // Undefined if its process has just put it in place.
    const written = (await stat(draft).catch(() => undefined))?.mtimeMs;
    if (written !== undefined && Date.now() - written > ABANDONED_MS) await rm(draft, { force: true });
  }
}

async function syncFolder(file: string): Promise<void> {
  const folder = await open(dirname(file), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
