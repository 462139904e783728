// The content type and the content encoding of a file, by its name.
import { extname } from "node:path";
import mime from "mime-types";

// Override the table of mime-types, or are missing in it.
const ownTypes: Readonly<Record<string, string>> = { ".log": "text/plain", ".jsonl": "application/jsonl" };

// Compressed formats: gzip would only cost time.
const compressed = new Set(
  (
    "7z br aab apk bz2 deb dmg flv gif gz jar jpeg jpg lz lz4 mz npz pkg png swf sz tbz tgz wasm webp whl woff " +
    "woff2 xpi xz zip zst zz"
  ).split(" "),
);

/** Returns the media type of a file by its extension (in any case), `application/octet-stream` for unknown ones. */
export function contentTypeOf(path: string): string {
  const extension = extname(path).toLowerCase();
  const own = ownTypes[extension];
  if (own !== undefined) return own;
  const type = mime.lookup(extension);
  if (type === false) return "application/octet-stream";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

/** Returns `identity` for compressed formats, else `gzip`. */
export function contentEncodingOf(path: string): "identity" | "gzip" {
  return compressed.has(extname(path).slice(1).toLowerCase()) ? "identity" : "gzip";
}
