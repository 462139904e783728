import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "../../test/support/arbitrary-text.ts";
import { shellQuote } from "./shell-quote.ts";

test("a shell reads quoted words back unchanged", () => {
  const word = anyText().map((text) => text.replaceAll("\0", ""));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      const script = `printf '%s\\0' ${shellQuote(...words)}`;
      expect(execFileSync("sh", ["-c", script]).toString("utf8")).toBe(words.map((w) => `${w}\0`).join(""));
    }),
    { numRuns: 30 },
  );
});

test("words without special characters are not quoted", () => {
  expect(shellQuote("make", "-j2", "CC=gcc", "./a/b.c", "a b", "it's", "")).toBe(
    `make -j2 CC=gcc ./a/b.c 'a b' 'it'\\''s' ''`,
  );
});
