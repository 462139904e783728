// The secrets of a local instance: made at its first start, kept in its home folder for its owner alone.
import { randomBytes } from "node:crypto";
import { link, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import Type, { type Static } from "typebox";
import Value from "typebox/value";

const LocalSecrets = Type.Object({
  /** The root client's access token. */
  rootAccessToken: Type.String({ pattern: "^[A-Za-z0-9_-]{22,66}$" }),
  /** `auth.secret`. */
  secret: Type.String({ minLength: 22 }),
});
export type LocalSecrets = Readonly<Static<typeof LocalSecrets>>;

/**
 * The secrets in `secrets.json` of the home folder; where there is none, makes them (and the folder). Of
 * several processes that start at once, all get the same. Throws where others can read the file or it is damaged.
 */
export async function loadOrCreateLocalSecrets(home: string): Promise<LocalSecrets> {
  const file = join(home, "secrets.json");
  const present = await readSecrets(file);
  if (present !== undefined) return present;
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeOnce(file, { rootAccessToken: newToken(), secret: newToken() });
  const made = await readSecrets(file);
  if (made === undefined) throw new Error(`${file} was removed while the server started: start it again`);
  return made;
}

/** 44 url-safe characters with 264 bits of chance. */
function newToken(): string {
  return randomBytes(33).toString("base64url");
}

async function readSecrets(file: string): Promise<LocalSecrets | undefined> {
  const handle = await open(file, "r").catch((err: unknown) => {
    if (err instanceof Error && "code" in err && err.code === "ENOENT") return undefined;
    throw new Error(`${file} cannot be read: ${String(err)}`, { cause: err });
  });
  if (handle === undefined) return undefined;
  try {
    const mode = (await handle.stat()).mode & 0o777;
    // Refused and not repaired: others may have read it already, and only the owner knows who they are.
    if ((mode & 0o077) !== 0 && process.platform !== "win32") {
      throw new Error(
        `${file} can be read or changed by other users (mode ${mode.toString(8)}). Run \`chmod 600 ${file}\`; if they ` +
          "are not to be trusted, delete it instead, and new secrets are made.",
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
    // Falls through to the same complaint; the parser's own would quote the secrets.
  }
  if (Value.Check(LocalSecrets, content)) return content;
  throw new Error(
    `${file} is damaged: restore it, or delete it, and new secrets are made (clients then need the new token).`,
  );
}

/** Writes the file whole, or leaves the one that another process wrote meanwhile. */
async function writeOnce(file: string, secrets: LocalSecrets): Promise<void> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(secrets, null, 2)}\n`);
    await handle.sync();
    // Unlike a rename, a link does not replace what is there: the first one wins, and readers see it whole.
    await link(draft, file);
  } catch (err) {
    if (!(err instanceof Error && "code" in err && err.code === "EEXIST")) throw err;
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
}
