import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keyWords, topicMatcher } from "./routing-keys.ts";

const matches = (pattern: string, key: string): boolean => topicMatcher(pattern)(keyWords(key));

/** Matches word by word and with full backtracking, exactly as the definition says. */
function matchesNaively([part, ...parts]: string[], words: string[]): boolean {
  const [word, ...rest] = words;
  if (part === undefined) return word === undefined;
  if (part === "#")
    return matchesNaively(parts, words) || (word !== undefined && matchesNaively([part, ...parts], rest));
  return word !== undefined && (part === "*" || part === word) && matchesNaively(parts, rest);
}

const key = fc.array(fc.constantFrom("a", "b", "", "_"), { maxLength: 7 }).map((words) => words.join("."));
const pattern = fc
  .array(fc.constantFrom("a", "b", "", "*", "#", "#"), { maxLength: 7 })
  .map((parts) => parts.join("."));

describe("topicMatcher", () => {
  test.each([
    ["primary.#", "primary.a.b", true],
    ["primary.#", "primary", true],
    ["primary.#", "secondary.a", false],
    ["primary.*.c", "primary.b.c", true],
    ["primary.*.c", "primary.c", false],
    ["#.gaia.#", "a.b.gaia", true],
    ["#.a.*", "a.a.b.a.c", true],
    ["route.index.#", "route.index.gecko.v2", true],
    ["#", "", true],
    ["*", "", false],
    ["", "", true],
    ["", "a", false],
    ["a*", "ab", false],
  ])("%s and %s: %s", (pattern, key, expected) => {
    expect(matches(pattern, key)).toBe(expected);
  });

  test("agrees with the definition", () => {
    fc.assert(
      fc.property(pattern, key, (p, k) => matches(p, k) === matchesNaively(keyWords(p), keyWords(k))),
      { numRuns: 3_000 },
    );
  });

  test("matches a malicious pattern quickly", () => {
    const words = keyWords("a.".repeat(127) + "b");
    const began = performance.now();
    expect(topicMatcher("#.a.".repeat(63) + "c")(words)).toBe(false);
    // In milliseconds. The definition would take years.
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
