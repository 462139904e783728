// Packs and uploads a folder, so that tasks can run in a copy of it.
import { counted } from "../../lib/counted.ts";
import type { Client } from "../../client/connect.ts";
import { byteSize } from "../format.ts";
import type { Spinner } from "../spinner.ts";
import type { SourceMount } from "./definition.ts";

export interface SentSource {
  readonly client: Client;
  readonly folder: string;
  /** What the folder is for. */
  readonly name: string;
  /** The time until which it can be fetched, in milliseconds since the epoch. */
  readonly until: number;
  readonly spinner: Spinner;
  /** Receives a sentence for each file that is not sent. */
  warn(text: string): void;
  readonly signal: AbortSignal;
}

const maxLeftOut = 10;

/** Resolves to the additions to each task that runs in the folder. */
export async function sendSource(sent: SentSource): Promise<SourceMount> {
  const { client, folder, name, until, spinner, warn, signal } = sent;
  spinner.update("packing the folder");
  // Imported here: few commands send a folder, and the archiver takes long to load.
  const { packSource } = await import("./source-archive.ts");
  const { uploadSource } = await import("./source-task.ts");
  const archive = await packSource(folder);
  try {
    const listed = archive.leftOut.slice(0, maxLeftOut);
    for (const text of listed) warn(text);
    const more = archive.leftOut.length - listed.length;
    if (more > 0) warn(`left out ${counted(more, "more file")}`);
    spinner.update(`uploading ${counted(archive.files, "file")}, ${byteSize(archive.bytes)}`);
    return await uploadSource({ client, archive, name, until, signal });
  } finally {
    await archive.remove();
  }
}
