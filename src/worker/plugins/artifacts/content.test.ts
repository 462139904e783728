import { expect, test } from "vitest";
import { contentEncodingOf, contentTypeOf } from "./content.ts";

test.each([
  ["build.log", "text/plain"],
  ["events.jsonl", "application/jsonl"],
  ["a/b.json", "application/json"],
  ["index.html", "text/html; charset=utf-8"],
  ["README.TXT", "text/plain; charset=utf-8"],
  ["image.PNG", "image/png"],
  ["Makefile", "application/octet-stream"],
  ["archive.unknown", "application/octet-stream"],
  [".log", "application/octet-stream"],
])("%s is of type %s", (path, type) => {
  expect(contentTypeOf(path)).toBe(type);
});

test.each([
  ["a.txt", "gzip"],
  ["Makefile", "gzip"],
  ["a.tar.gz", "identity"],
  ["A.ZIP", "identity"],
  ["movie.webp", "identity"],
])("%s has the content encoding %s", (path, encoding) => {
  expect(contentEncodingOf(path)).toBe(encoding);
});
