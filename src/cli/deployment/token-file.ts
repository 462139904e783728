// Writes the access tokens of new clients into a file that only its owner can read.
import { createPrivateFile } from "../private-file.ts";

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
  const file = await createPrivateFile(path, `--tokens-file ${path}`);
  return {
    async write(token) {
      await file.write(`${JSON.stringify(token)}\n`);
      await file.sync();
    },
    close: () => file.close(),
  };
}
