// Reads a blob in pieces.

/** Calls `onBytes` with all bytes of the blob. Rejects with the reason of the signal when it aborts. */
export async function readBlob(
  content: Blob,
  signal: AbortSignal | undefined,
  onBytes: (bytes: Uint8Array) => void,
): Promise<void> {
  const reader = content.stream().getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      signal?.throwIfAborted();
      onBytes(read.value);
    }
    signal?.throwIfAborted();
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error;
  }
}
