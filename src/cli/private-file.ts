// Creates files for secrets.
import { open, type FileHandle } from "node:fs/promises";
import { codeOf } from "../lib/error-code.ts";
import { CliError, messageOf } from "./cli-error.ts";

/**
 * Creates a file that only its owner can read. It must not exist: it could be readable by others, or contain secrets that would be
 * lost. `what` begins the error message.
 */
export async function createPrivateFile(path: string, what: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    const why = codeOf(error) === "EEXIST" ? "exists already" : `cannot be created: ${messageOf(error)}`;
    throw new CliError(`${what} ${why}; choose a file that does not exist yet`, { cause: error });
  }
}
