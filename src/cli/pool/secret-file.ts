// The secrets with which workers register. They are read from files and standard input only: other users of a machine can see
// the arguments of a command.
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { SECRET_PATTERN } from "../../api/worker-manager/pools.ts";
import { CliError, UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { createPrivateFile } from "../private-file.ts";
import { readText } from "../read-text.ts";

const pattern = new RegExp(SECRET_PATTERN);

export const newOption = {
  type: "flag",
  summary: "Make a new secret, and write it into this file, which must not exist yet.",
} as const;

/** Returns the secret in a file, or in standard input for `-`. */
export async function readSecret(file: string, io: Io): Promise<string> {
  const secret = (await readText(file, io)).trim();
  if (pattern.test(secret)) return secret;
  throw new CliError(
    `${nameOf(file)} must contain one secret: 44 letters, digits, - and _ in one line. With --new, the command makes one.`,
  );
}

/**
 * Calls `use` with the secret in a file. If it is new, it is made and written into the file first, so that a secret in use is not
 * lost; if `use` fails, the file is removed, so that the command can be repeated.
 */
export async function withSecret<T>(
  file: string,
  isNew: boolean,
  io: Io,
  use: (secret: string) => Promise<T>,
): Promise<T> {
  if (!isNew) return use(await readSecret(file, io));
  if (file === "-") throw new UsageError("--new writes the secret into a file: name one instead of -");
  const path = resolve(io.cwd, file);
  const handle = await createPrivateFile(path, file);
  try {
    const secret = randomBytes(33).toString("base64url");
    await handle.write(`${secret}\n`);
    await handle.sync();
    return await use(secret);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Returns how messages name a file. */
export const nameOf = (file: string): string => (file === "-" ? "standard input" : file);
