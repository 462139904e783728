// What kind of content a file is, and whether it is worth compressing on the way, by its name.
import { extname } from "node:path";
import mime from "mime-types";

// Known here in spite of the table, or missing in it.
const ownTypes: Readonly<Record<string, string>> = { ".log": "text/plain", ".jsonl": "application/jsonl" };

// Compressed already, so that gzip would only cost time.
const compressed = new Set(
  (
    "7z br aab apk bz2 deb dmg flv gif gz jar jpeg jpg lz lz4 mz npz pkg png swf sz tbz tgz wasm webp whl woff " +
    "woff2 xpi xz zip zst zz"
  ).split(" "),
);

/** The media type of a file by its extension (in any case), `application/octet-stream` for unknown ones. */
export function contentTypeOf(path: string): string {
  const extension = extname(path).toLowerCase();
  const own = ownTypes[extension];
  if (own !== undefined) return own;
  const type = mime.lookup(extension);
  if (type === false) return "application/octet-stream";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

/** `identity` for what is compressed by nature, else `gzip`. */
export function contentEncodingOf(path: string): "identity" | "gzip" {
  return compressed.has(extname(path).slice(1).toLowerCase()) ? "identity" : "gzip";
}
