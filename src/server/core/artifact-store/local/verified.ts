// Checks stored bytes on their way out against the hash that they came in with.
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { pipeline, Readable, Transform, type TransformCallback } from "node:stream";
import type { Description } from "./files.ts";

/** Up to so many bytes are checked before the first of them is sent, and so get an honest error. */
export const CHECKED_AHEAD = 4 * 1024 * 1024;
/** Larger than the usual 64 KiB: fewer turns, and so a third more throughput. */
const READ_BYTES = 256 * 1024;

/** What lies in the store is not what came in. */
export class DamagedContent extends Error {}

/** Throws `DamagedContent` where the file has not the size that it should have. Cheap enough for every request. */
export async function requireSize(bytes: FileHandle, { file, size }: Description): Promise<void> {
  const found = (await bytes.stat()).size;
  if (found !== size) throw new DamagedContent(`${file} has ${found} bytes, but ${size} were stored`);
}

/**
 * All of the bytes, to be streamed. Of more than `CHECKED_AHEAD` the hash is known only at the end, so the last piece is kept
 * back until then, and where it does not fit the stream fails without it: the receiver gets a torn transfer, never a
 * whole one of wrong bytes. Of fewer it throws `DamagedContent` at once. Closes the file in any case.
 */
export async function verifiedStream(bytes: FileHandle, description: Description): Promise<Readable> {
  const { size, sha256 } = description;
  if (size > CHECKED_AHEAD)
    return pipeline(
      bytes.createReadStream({ highWaterMark: READ_BYTES }),
      keepingTheEnd(description),
      () => undefined,
    );
  try {
    const content = await bytes.readFile();
    if (createHash("sha256").update(content).digest("hex") !== sha256) throw damaged(description);
    return Readable.from(content.length === 0 ? [] : [content], { objectMode: false });
  } finally {
    await bytes.close();
  }
}

function keepingTheEnd(description: Description): Transform {
  const hash = createHash("sha256");
  let kept: Buffer | undefined;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      hash.update(chunk);
      const ready = kept;
      kept = chunk;
      done(null, ready);
    },
    flush(done: TransformCallback) {
      if (hash.digest("hex") === description.sha256) done(null, kept);
      else done(damaged(description));
    },
  });
}

const damaged = ({ file, sha256 }: Description): DamagedContent =>
  new DamagedContent(`${file} has not the SHA-256 ${sha256} any more, which it was stored with`);
