// Fetches the content of an artifact, and saves it to a file.
import { createWriteStream } from "node:fs";
import { access, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { causeOf, CliError } from "../cli-error.ts";
import { byteSize } from "../format.ts";
import { writeLine, type Io } from "../io.ts";
import { startSpinner } from "../spinner.ts";
import type { ArtifactSource } from "./artifact-access.ts";
import { makeFolder } from "../../lib/make-folder.ts";

/** Returns the content as a stream. */
export async function contentOf(name: string, source: Pick<ArtifactSource, "url">): Promise<Readable> {
  const response = await fetch(source.url).catch((error: unknown) => {
    throw new CliError(
      `cannot download ${name}: ${causeOf(error)}. Check that this machine reaches the artifact store, and try again.`,
      { cause: error },
    );
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new CliError(
      `cannot download ${name}: the artifact store returned ${response.status} ${response.statusText}. Try again later, or rerun the task if the content is lost.`,
    );
  }
  return Readable.fromWeb(response.body);
}

/** Writes to PATH.part and renames it when it is complete. Creates the folder. */
export async function save(body: Readable, path: string, force: boolean, io: Io): Promise<void> {
  const part = `${path}.part`;
  const spinner = startSpinner(io, "downloading");
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      spinner.update(`downloading ${byteSize(bytes)}`);
      done(null, chunk);
    },
  });
  try {
    await makeFolder(dirname(path));
    if (!force && (await exists(path)))
      throw new CliError(`${path} already exists: use --force to replace it`);
    await pipeline(body, count, createWriteStream(part));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    body.destroy();
    spinner.stop();
  }
  writeLine(io.stderr, `${path} (${byteSize(bytes)})`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
