// Reads the text files that commands take as arguments.
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { CliError, messageOf } from "./cli-error.ts";
import type { Io } from "./io.ts";

/** No server accepts more in one call. Also keeps `/dev/zero` from filling the memory. */
const MAX_BYTES = 64 * 2 ** 20;

/** Returns the text of a file, or of standard input for `-`. */
export async function readText(file: string, io: Io): Promise<string> {
  const name = file === "-" ? "standard input" : file;
  const stream = file === "-" ? io.stdin : createReadStream(resolve(io.cwd, file));
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const some = Buffer.from(chunk as Uint8Array | string);
      bytes += some.length;
      if (bytes > MAX_BYTES)
        throw new CliError(`${name} is larger than the limit of ${MAX_BYTES / 2 ** 20} MiB`);
      chunks.push(some);
    }
  } catch (error) {
    // oxlint-disable-next-line messages/next-step -- unreadable names it
    throw error instanceof CliError ? error : new CliError(unreadable(name, error), { cause: error });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    throw new CliError(`${name} must be UTF-8 text, and is not`, { cause: error });
  }
}

function unreadable(name: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT")
    return `file not found: ${name}; check the path, which is relative to the current folder`;
  if (code === "EISDIR") return `${name} is a folder: name a file in it`;
  if (code === "EACCES")
    return `no permission to read ${name}: change its permissions, or pass its content as standard input (-)`;
  return `cannot read ${name}: ${messageOf(error)}; name another file`;
}
