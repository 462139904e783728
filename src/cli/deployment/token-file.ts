// Writes the access tokens of new clients into a file that only its owner can read.
import { open } from "node:fs/promises";
import { CliError, messageOf } from "../cli-error.ts";

export interface NewToken {
  readonly clientId: string;
  readonly accessToken: string;
}

export interface TokenFile {
  write(token: NewToken): Promise<void>;
  close(): Promise<void>;
}

/** Creates the file, before the first client is created. Each token is one line of JSON, on the disk before the next call. */
export async function createTokenFile(path: string): Promise<TokenFile> {
  // A file that exists may be readable by others, or contain tokens that would be lost.
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    throw new CliError(
      `--tokens-file ${path} cannot be created: ${messageOf(error)}; choose a file that does not exist yet`,
      { cause: error },
    );
  });
  return {
    async write(token) {
      await file.write(`${JSON.stringify(token)}\n`);
      await file.sync();
    },
    close: () => file.close(),
  };
}
