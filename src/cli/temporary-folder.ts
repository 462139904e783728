// Temporary folders of commands.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usingFolder } from "../lib/using-folder.ts";

/** Creates a folder whose name starts with `prefix`. The caller removes it. */
export const makeTemporaryFolder = (prefix: string): Promise<string> =>
  usingFolder(
    { path: tmpdir(), what: "The folder for temporary files", choice: "set TMPDIR to another one" },
    () => mkdtemp(join(tmpdir(), prefix)),
  );
