// The secrets of a local instance. They are created at its first start and stored in a file that only its owner can
// read.
import { randomBytes } from "node:crypto";
import { link, open, rm } from "node:fs/promises";
import { join } from "node:path";
import Type, { type Static } from "typebox";
import Value from "typebox/value";
import { makeFolder } from "../../lib/make-folder.ts";

const LocalSecrets = Type.Object({
  /** The root client's access token. */
  rootAccessToken: Type.String({ pattern: "^[A-Za-z0-9_-]{22,66}$" }),
  /** `auth.secret`. */
  secret: Type.String({ minLength: 22 }),
});
export type LocalSecrets = Readonly<Static<typeof LocalSecrets>>;

/**
 * Returns the secrets in `secrets.json` of the home folder. Creates the file and the folder if needed; concurrent
 * processes get the same secrets. Throws if other users can access the file, or if it is damaged.
 */
export async function loadOrCreateLocalSecrets(home: string): Promise<LocalSecrets> {
  const file = join(home, "secrets.json");
  const present = await readSecrets(file);
  if (present !== undefined) return present;
  await makeFolder(home, 0o700);
  await writeOnce(file, { rootAccessToken: newToken(), secret: newToken() });
  const created = await readSecrets(file);
  if (created === undefined) throw new Error(`${file} was removed during startup: start the server again`);
  return created;
}

/** Returns 44 URL-safe characters with 264 bits of entropy. */
function newToken(): string {
  return randomBytes(33).toString("base64url");
}

async function readSecrets(file: string): Promise<LocalSecrets | undefined> {
  const handle = await open(file, "r").catch((err: unknown) => {
    if (err instanceof Error && "code" in err && err.code === "ENOENT") return undefined;
    throw err;
  });
  if (handle === undefined) return undefined;
  try {
    const mode = (await handle.stat()).mode & 0o777;
    // Not repaired automatically: other users may have read it already, and only the owner can decide whether that
    // matters.
    if ((mode & 0o077) !== 0 && process.platform !== "win32") {
      throw new Error(
        `${file} can be read or changed by other users (mode ${mode.toString(8)}). Run \`chmod 600 ${file}\`. If those ` +
          "users are not trusted, delete the file instead, and new secrets are created.",
      );
    }
    return parse(await handle.readFile("utf8"), file);
  } finally {
    await handle.close();
  }
}

function parse(text: string, file: string): LocalSecrets {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // Reported below, since the parser's message would quote the secrets.
  }
  if (Value.Check(LocalSecrets, content)) return content;
  throw new Error(
    `${file} is damaged: restore it, or delete it to create new secrets (clients then need the new token).`,
  );
}

/** Writes the file atomically. Keeps the existing file if another process was faster. */
async function writeOnce(file: string, secrets: LocalSecrets): Promise<void> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(secrets, null, 2)}\n`);
    await handle.sync();
    // Unlike a rename, a link does not replace an existing file: the first one wins, and readers see a complete file.
    await link(draft, file);
  } catch (err) {
    if (!(err instanceof Error && "code" in err && err.code === "EEXIST")) throw err;
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
}
