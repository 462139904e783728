// Downloads an artifact to a file or to standard output.
import { access } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ArtifactDownload } from "../../client/artifacts/download.ts";
import type { OnProgress } from "../../client/artifacts/progress.ts";
import { readableOf, saveDownload } from "../../client/node/save-download.ts";
import { ClientError } from "../../client/client-error.ts";
import { makeFolder } from "../../lib/make-folder.ts";
import { CliError } from "../cli-error.ts";
import { byteSize } from "../format.ts";
import { writeLine, type Io } from "../io.ts";
import { startSpinner } from "../spinner.ts";
import { storeFault } from "../store-fault.ts";
import { explainNoContent } from "./artifact-access.ts";

export interface SavedArtifact {
  readonly name: string;
  /** A path, or `-` for standard output. */
  readonly file: string;
  /** Whether an existing file is replaced. */
  readonly force: boolean;
  readonly io: Io;
  /** Starts the download. */
  open(onProgress: OnProgress): Promise<ArtifactDownload>;
}

/** Downloads the artifact. Creates the folder of the file. The file appears when it is complete. */
export async function saveArtifact({ name, file, force, io, open }: SavedArtifact): Promise<void> {
  let report: OnProgress = () => undefined;
  let bytes = 0;
  try {
    const download = await open((progress) => {
      ({ bytes } = progress);
      report(progress);
    });
    if (file === "-") return await pipeline(readableOf(download), io.stdout, { end: false });
    const path = resolve(io.cwd, file);
    const spinner = startSpinner(io, "downloading");
    report = () => spinner.update(`downloading ${byteSize(bytes)}`);
    try {
      await makeFolder(dirname(path));
      if (!force && (await exists(path)))
        throw new CliError(`${path} already exists: use --force to replace it`);
      await saveDownload(download, path);
    } catch (error) {
      // Without effect if the content was being read.
      await download.body.cancel().catch(() => undefined);
      throw error;
    } finally {
      spinner.stop();
    }
    writeLine(io.stderr, `${path} (${byteSize(bytes)})`);
  } catch (error) {
    const fault = storeFault(error);
    if (fault === undefined) throw error instanceof ClientError ? explainNoContent(error, name) : error;
    throw new CliError(
      `cannot download ${name}: ${fault.reason}. ${fault.isReply ? "Try again later, or rerun the task if the content is lost." : "Check that this machine reaches the artifact store, and try again."}`,
      { cause: error },
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
