// The folder of the local store: how bytes and their description get to their place whole, and back.
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import type { Clock } from "../../../../lib/clock.ts";
import type { DeleteFailure, StoreKey } from "../index.ts";
import { byFolder, nameOf, placeOf, type Place } from "./place.ts";

const Description = Type.Object({
  name: Type.String(),
  contentType: Type.String(),
  contentEncoding: Type.Optional(Type.String()),
  size: Type.Integer({ minimum: 0 }),
  sha256: Type.String(),
  /** ISO 8601. */
  stored: Type.String(),
  /** The file beside this one that has the bytes. */
  file: Type.String({ pattern: "^[A-Za-z0-9._-]+$" }),
});
/** What is kept of an artifact beside its bytes. */
export type Description = Static<typeof Description>;
const descriptions = Compile(Description);

/** An upload that was not touched for so long is one of a process that died. */
const ABANDONED_AFTER_MS = 60 * 60_000;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export interface ArtifactFiles {
  /** Undefined where no upload was completed. */
  describe(key: StoreKey): Promise<Description | undefined>;
  /** The description and the opened bytes that belong to it; the caller closes them. */
  read(key: StoreKey): Promise<{ description: Description; bytes: FileHandle } | undefined>;
  /** A new empty file for an upload. */
  begin(): Promise<Upload>;
  /**
   * Makes what is stored under one key the content of another as well. False where its bytes are not in `file` any more;
   * then nothing is done.
   */
  copy(from: StoreKey, to: StoreKey, file: string): Promise<boolean>;
  /** As a store's `delete`. */
  delete<K extends StoreKey>(keys: readonly K[]): Promise<DeleteFailure<K>[]>;
}

interface Upload {
  readonly bytes: FileHandle;
  /** Makes the upload, all written, the artifact; it is safe on the disk when this resolves. */
  commit(key: StoreKey, description: Omit<Description, "name" | "file">): Promise<void>;
  /** Removes what is left; does nothing after a commit. */
  discard(): Promise<void>;
}

/** Opens the folder, which is made if it is not there. */
export async function openFolder(path: string, clock: Clock): Promise<ArtifactFiles> {
  const dir = resolve(path);
  const uploads = join(dir, "uploads");
  await mkdir(uploads, { recursive: true, mode: FOLDER_MODE });
  await removeAbandoned(uploads, clock.now() - ABANDONED_AFTER_MS);
  const place = (key: StoreKey): Place => placeOf(dir, key);

  return {
    describe: (key) => readDescription(place(key)),

    async read(key) {
      const { folder } = place(key);
      let missing: string | undefined;
      for (;;) {
        const description = await readDescription(place(key));
        if (!description) return undefined;
        const bytes = await ifThere(open(join(folder, description.file), constants.O_RDONLY));
        if (bytes) return { description, bytes };
        // Replaced between the two reads; then the description names another file now.
        if (missing === description.file)
          throw new Error(`the artifact store has lost ${join(folder, description.file)}`);
        missing = description.file;
      }
    },

    async begin() {
      const entering = newEntry(uploads);
      const bytes = await open(entering.path, "wx", FILE_MODE);
      return {
        bytes,
        async commit(key, described) {
          await bytes.sync();
          await bytes.close();
          await enter(entering, place(key), { name: nameOf(key), ...described });
        },
        async discard() {
          await bytes.close().catch(() => undefined);
          await removeLeftovers(entering);
        },
      };
    },

    async copy(from, to, file) {
      const description = await readDescription(place(from));
      if (description?.file !== file) return false;
      const entering = newEntry(uploads);
      try {
        // Replaced just now, where the bytes are gone.
        const there = await ifThere(
          linkOrCopy(join(place(from).folder, file), entering.path).then(() => true),
        );
        if (there) await enter(entering, place(to), description);
        return there ?? false;
      } finally {
        await removeLeftovers(entering);
      }
    },

    async delete(keys) {
      const failures: DeleteFailure<(typeof keys)[number]>[] = [];
      for (const [folder, group] of byFolder(keys, place)) {
        let files: Promise<string[] | undefined> | undefined;
        for (const key of group) {
          try {
            // Once for all artifacts of a run, which may be thousands.
            files ??= ifThere(readdir(folder));
            await removeFiles(folder, place(key).base, (await files) ?? []);
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

/** Bytes on their way to their place, and what is to be removed where they do not get there. */
interface Entry {
  readonly id: string;
  readonly path: string;
  readonly leftovers: Set<string>;
}

function newEntry(uploads: string): Entry {
  const id = randomBytes(12).toString("hex");
  const path = join(uploads, id);
  return { id, path, leftovers: new Set([path]) };
}

async function enter(
  { id, path, leftovers }: Entry,
  place: Place,
  described: Omit<Description, "file">,
): Promise<void> {
  const { folder, base } = place;
  const file = `${base}.${id}`;
  const before = await readDescription(place);
  leftovers.add(`${path}.json`);
  await writeFileSafely(`${path}.json`, { ...described, file });
  leftovers.add(join(folder, file));
  const made = await moveInto(folder, path, file);
  // The artifact changes here, in one step; whoever reads sees the old bytes or the new ones.
  await moveInto(folder, `${path}.json`, `${base}.json`);
  leftovers.clear();
  await syncFolders(folder, made === undefined ? folder : dirname(made));
  if (before) await rm(join(folder, before.file), { force: true });
}

async function removeLeftovers({ leftovers }: Entry): Promise<void> {
  for (const file of leftovers) await rm(file, { force: true });
}

/** Both names have the same bytes on the disk; where the file system knows no such thing, they are copied. */
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
  // The description first: without it the artifact is gone, whatever happens to the rest.
  own.sort((a, b) => Number(b.endsWith(".json")) - Number(a.endsWith(".json")));
  for (const file of own) await rm(join(folder, file), { force: true });
}

async function readDescription({ folder, base }: Place): Promise<Description | undefined> {
  const path = join(folder, `${base}.json`);
  const text = await ifThere(readFile(path, "utf8"));
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  if (!descriptions.Check(value)) throw new Error(`${path} does not describe an artifact`);
  return value;
}

async function writeFileSafely(path: string, description: Description): Promise<void> {
  const file = await open(path, "wx", FILE_MODE);
  try {
    await file.writeFile(`${JSON.stringify(description, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Moves a file into a folder that is made if need be, also if a deletion beside us removes it in between.
 * Answers the topmost folder that was made.
 */
async function moveInto(folder: string, from: string, name: string): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    const made = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    try {
      await rename(from, join(folder, name));
      return made;
    } catch (err) {
      if (codeOf(err) !== "ENOENT" || tries === 5) throw err;
    }
  }
}

/** A renamed file outlives a power cut only when its folder is on the disk, and those above that are new. */
async function syncFolders(folder: string, top: string): Promise<void> {
  // There a folder cannot be opened, and needs no such care.
  if (process.platform === "win32") return;
  for (let above = folder; above.length >= top.length; above = dirname(above)) {
    const handle = await ifThere(open(above, constants.O_RDONLY));
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
    const found = await ifThere(stat(path));
    if (found && found.mtimeMs < before) await rm(path, { force: true });
  }
}

async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch {
    // Not empty, or gone already.
    return false;
  }
}

async function ifThere<R>(promise: Promise<R>): Promise<R | undefined> {
  try {
    return await promise;
  } catch (err) {
    if (codeOf(err) === "ENOENT") return undefined;
    throw err;
  }
}

const codeOf = (err: unknown): unknown => (err instanceof Error && "code" in err ? err.code : undefined);
