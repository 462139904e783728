// Saves a download to a file.
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ArtifactDownload } from "../artifacts/download.ts";

type Content = Pick<ArtifactDownload, "body">;

/**
 * Writes the content to `path.part`, and renames it when it is complete and verified. Replaces an existing file. Rejects with
 * the error of the download or of the file system, and then leaves nothing.
 */
export async function saveDownload(download: Content, path: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await pipeline(readableOf(download), createWriteStream(part));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Returns the content as a stream of Node. */
export const readableOf = ({ body }: Content): Readable =>
  // The same class; only the types of Node and of browsers differ.
  Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
