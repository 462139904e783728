// The folder of the local store: writes content and its description atomically, and reads and deletes them.
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  access,
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import type { Clock } from "../../../../lib/clock.ts";
import { codeOf } from "../../../../lib/error-code.ts";
import { openRegularFile } from "../../../../lib/open-regular-file.ts";
import { usingFolder } from "../../../../lib/using-folder.ts";
import type { DeleteFailure, StoreKey } from "../index.ts";
import { groupByFolder, nameOf, locateFile, type FileLocation } from "./file-location.ts";
import { makeFolder } from "../../../../lib/make-folder.ts";

const Description = Type.Object({
  name: Type.String(),
  contentType: Type.String(),
  contentEncoding: Type.Optional(Type.String()),
  size: Type.Integer({ minimum: 0 }),
  sha256: Type.String(),
  /** ISO 8601. */
  stored: Type.String(),
  /** The name of the file in the same folder that has the bytes. */
  file: Type.String({ pattern: "^[A-Za-z0-9._-]+$" }),
});
/** The metadata of an artifact, stored in a file beside its bytes. */
export type Description = Static<typeof Description>;
const descriptions = Compile(Description);

/** Uploads that were not modified for this long belong to a process that has died. */
const ABANDONED_AFTER_MS = 60 * 60_000;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export interface ArtifactFiles {
  /** Returns undefined if no upload was completed. */
  describe(key: StoreKey): Promise<Description | undefined>;
  /** Returns the description and the open file that it describes. The caller closes the file. */
  read(key: StoreKey): Promise<{ description: Description; bytes: FileHandle } | undefined>;
  /** Creates an empty file for an upload. */
  startUpload(): Promise<Upload>;
  /** Copies content to another key. Returns false, and copies nothing, if its bytes are no longer in `file`. */
  copy(from: StoreKey, to: StoreKey, file: string): Promise<boolean>;
  /** See `ArtifactStore.delete`. */
  delete<K extends StoreKey>(keys: readonly K[]): Promise<DeleteFailure<K>[]>;
}

interface Upload {
  readonly bytes: FileHandle;
  /** Stores the completely written upload under the key. It is durable when this resolves. */
  commit(key: StoreKey, description: Omit<Description, "name" | "file">): Promise<void>;
  /** Removes the upload's files. A no-op after a commit. */
  discard(): Promise<void>;
}

/** Opens the folder and creates it if it does not exist. */
export async function openFolder(path: string, clock: Clock): Promise<ArtifactFiles> {
  const dir = resolve(path);
  const uploads = join(dir, "uploads");
  await usingFolder(
    { path: dir, what: "The folder of the artifacts", choice: "set artifacts.dir to another one" },
    async () => {
      await makeFolder(uploads, FOLDER_MODE);
      await access(uploads, constants.W_OK);
      await removeAbandoned(uploads, clock.now() - ABANDONED_AFTER_MS);
    },
  );
  const locate = (key: StoreKey): FileLocation => locateFile(dir, key);

  return {
    describe: (key) => readDescription(locate(key)),

    async read(key) {
      const { folder } = locate(key);
      let missing: string | undefined;
      for (;;) {
        const description = await readDescription(locate(key));
        if (!description) return undefined;
        const bytes = await ifExists(openRegularFile(join(folder, description.file)));
        if (bytes) return { description, bytes };
        // If the artifact was replaced between the two reads, the description now has another file.
        if (missing === description.file)
          throw new Error(
            `a file of the artifact store is missing: ${join(folder, description.file)}. Restore it from a backup, or rerun the task.`,
          );
        missing = description.file;
      }
    },

    async startUpload() {
      const pending = newPending(uploads);
      const bytes = await open(pending.path, "wx", FILE_MODE);
      return {
        bytes,
        async commit(key, described) {
          await bytes.sync();
          await bytes.close();
          await publish(pending, locate(key), { name: nameOf(key), ...described });
        },
        async discard() {
          await bytes.close().catch(() => undefined);
          await removeLeftovers(pending);
        },
      };
    },

    async copy(from, to, file) {
      const description = await readDescription(locate(from));
      if (description?.file !== file) return false;
      const pending = newPending(uploads);
      try {
        // The file does not exist if the upload was replaced after its description was read.
        const copied = await ifExists(
          linkOrCopy(join(locate(from).folder, file), pending.path).then(() => true),
        );
        if (copied) await publish(pending, locate(to), description);
        return copied ?? false;
      } finally {
        await removeLeftovers(pending);
      }
    },

    async delete(keys) {
      const failures: DeleteFailure<(typeof keys)[number]>[] = [];
      for (const [folder, group] of groupByFolder(keys, locate)) {
        let files: Promise<string[] | undefined> | undefined;
        for (const key of group) {
          try {
            // Read once for all artifacts of a run; there may be thousands.
            files ??= ifExists(readdir(folder));
            await removeFiles(folder, locate(key).base, (await files) ?? []);
          } catch (error) {
            failures.push({ key, error });
          }
        }
        for (const empty of [folder, dirname(folder), dirname(dirname(folder))])
          if (!(await removeIfEmpty(empty))) break;
      }
      return failures;
    },
  };
}

/** Content that is not published yet, and the files to remove if it never is. */
interface Pending {
  readonly id: string;
  readonly path: string;
  readonly leftovers: Set<string>;
}

function newPending(uploads: string): Pending {
  const id = randomBytes(12).toString("hex");
  const path = join(uploads, id);
  return { id, path, leftovers: new Set([path]) };
}

async function publish(
  { id, path, leftovers }: Pending,
  location: FileLocation,
  described: Omit<Description, "file">,
): Promise<void> {
  const { folder, base } = location;
  const file = `${base}.${id}`;
  const replaced = await readDescription(location);
  leftovers.add(`${path}.json`);
  await writeDurably(`${path}.json`, { ...described, file });
  leftovers.add(join(folder, file));
  const created = await moveInto(folder, path, file);
  // This rename replaces the artifact atomically: a reader gets the old bytes or the new ones.
  await moveInto(folder, `${path}.json`, `${base}.json`);
  leftovers.clear();
  await syncFolders(folder, created === undefined ? folder : dirname(created));
  if (replaced) await rm(join(folder, replaced.file), { force: true });
}

async function removeLeftovers({ leftovers }: Pending): Promise<void> {
  for (const file of leftovers) await rm(file, { force: true });
}

/** Creates a hard link, or a copy if the file system does not support links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (err) {
    if (codeOf(err) === "ENOENT") throw err;
    await copyFile(from, to, constants.COPYFILE_EXCL);
    const copy = await open(to, constants.O_RDWR);
    await copy.sync().finally(() => copy.close());
  }
}

async function removeFiles(folder: string, base: string, files: readonly string[]): Promise<void> {
  const own = files.filter((file) => file.startsWith(`${base}.`));
  // The description first: without it the artifact no longer exists, even if removing the bytes fails.
  own.sort((a, b) => Number(b.endsWith(".json")) - Number(a.endsWith(".json")));
  for (const file of own) await rm(join(folder, file), { force: true });
}

async function readDescription({ folder, base }: FileLocation): Promise<Description | undefined> {
  const path = join(folder, `${base}.json`);
  const file = await ifExists(openRegularFile(path));
  if (file === undefined) return undefined;
  const text = await file.readFile("utf8").finally(() => file.close());
  const value: unknown = JSON.parse(text);
  if (!descriptions.Check(value))
    throw new Error(
      `${path} does not describe an artifact: restore it from a backup, or delete it and rerun the task`,
    );
  return value;
}

async function writeDurably(path: string, description: Description): Promise<void> {
  const file = await open(path, "wx", FILE_MODE);
  try {
    await file.writeFile(`${JSON.stringify(description, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Moves a file into a folder. Creates the folder if needed, again if a concurrent deletion removes it. Returns the
 * topmost folder that was created.
 */
async function moveInto(folder: string, from: string, name: string): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    const created = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    try {
      await rename(from, join(folder, name));
      return created;
    } catch (err) {
      if (codeOf(err) !== "ENOENT" || tries === 5) throw err;
    }
  }
}

/** Syncs a folder and its new parents. Without that, a renamed file may not survive a power failure. */
async function syncFolders(folder: string, top: string): Promise<void> {
  // Windows can neither open folders nor requires this.
  if (process.platform === "win32") return;
  for (let above = folder; above.length >= top.length; above = dirname(above)) {
    const handle = await ifExists(open(above, constants.O_RDONLY));
    try {
      await handle?.sync();
    } finally {
      await handle?.close();
    }
  }
}

async function removeAbandoned(uploads: string, before: number): Promise<void> {
  for (const name of await readdir(uploads)) {
    const path = join(uploads, name);
    const found = await ifExists(stat(path));
    if (found && found.mtimeMs < before) await rm(path, { force: true });
  }
}

async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch {
    // Not empty, or already removed.
    return false;
  }
}

async function ifExists<R>(promise: Promise<R>): Promise<R | undefined> {
  try {
    return await promise;
  } catch (err) {
    if (codeOf(err) === "ENOENT") return undefined;
    throw err;
  }
}
