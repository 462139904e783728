// The content of an upload.

/** Bytes, or text that is sent as UTF-8. A `Blob` is read while it is sent: `openAsBlob` of `node:fs` opens a file as one. */
export type ArtifactContent = Blob | Uint8Array<ArrayBuffer> | string;

/** Returns the content as a blob. */
export const blobOf = (content: ArtifactContent): Blob =>
  content instanceof Blob ? content : new Blob([content]);

/** Returns the content type of a content that does not come with one. */
export function contentTypeOf(content: ArtifactContent): string {
  if (typeof content === "string") return "text/plain; charset=utf-8";
  return (content instanceof Blob && content.type) || "application/octet-stream";
}
