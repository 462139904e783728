// Reads the file with the secret by which a worker registers.
import type { FileHandle } from "node:fs/promises";
import { SECRET_PATTERN } from "../../api/worker-manager/pools.ts";
import { codeOf } from "../../lib/error-code.ts";
import { openRegularFile } from "../../lib/open-regular-file.ts";
import { systemFault } from "../../lib/system-fault.ts";

const secretPattern = new RegExp(SECRET_PATTERN);
// A secret, and space around it.
const maxBytes = 1024;

/** Returns the secret. Rejects with what to do if the file cannot be used, or if other users can read it. */
export async function readSecretFile(path: string): Promise<string> {
  const file = await openRegularFile(path).catch((error: unknown) => {
    throw new Error(unreadable(path, error), { cause: error });
  });
  try {
    await checkFile(path, file);
    const text = (await file.readFile("utf8")).trim();
    if (secretPattern.test(text)) return text;
    throw new Error(
      `the secret file ${path} must contain a secret of 44 characters of A-Z a-z 0-9 _ - and nothing else, but it has ${text.length} characters`,
    );
  } finally {
    await file.close();
  }
}

function unreadable(path: string, error: unknown): string {
  if (codeOf(error) === "ENOENT")
    return `the secret file ${path} does not exist: write the secret into it, or correct --secret-file`;
  if (codeOf(error) === "EACCES")
    return `no permission to read the secret file ${path}: let the user of the worker own it`;
  return `cannot read the secret file ${path}: ${systemFault(error)}. Correct --secret-file, or its file.`;
}

/** Throws unless the file is small, and only this user can read it. */
async function checkFile(path: string, file: FileHandle): Promise<void> {
  const { mode, uid, size } = await file.stat();
  if (size > maxBytes)
    throw new Error(
      `the secret file ${path} must contain a secret of 44 characters and nothing else, but it has ${size} bytes`,
    );
  // Windows has no such modes.
  if (process.platform === "win32") return;
  if ((mode & 0o077) !== 0)
    throw new Error(
      `other users can read or change the secret file ${path} (mode ${(mode & 0o777).toString(8)}): run \`chmod 600 ${path}\``,
    );
  if (uid !== 0 && uid !== process.geteuid?.())
    throw new Error(
      `the secret file ${path} belongs to another user (id ${uid}), who can read it: let the user of the worker own it`,
    );
}
