// The patterns of parameters are held against whatever strangers send, before anybody asks who they are.
import { expect, it } from "vitest";
import { methods } from "../../test/support/contract-calls.ts";

/** The longest parameter that the server takes, of what a pattern may try in many ways, and an end that fits none. */
const hostile = ["1", "0", "a", "A", "-", "_", "/", " ", "aA1", "a/"].map((text) =>
  `${text.repeat(8192 / text.length)}\n`.slice(-8192),
);

it("no pattern of a parameter takes longer with a longer one than in proportion", () => {
  const patterns = new Map<string, RegExp>();
  for (const { of } of methods)
    for (const pattern of Object.values({ ...of.params, ...of.query })) patterns.set(pattern.source, pattern);
  expect(patterns.size).toBeGreaterThan(5);
  const slow = [...patterns.values()].filter((pattern) => {
    // The best of some tries: the machine may be busy. One that tries all pairs of places takes 100 ms or more.
    const times = hostile.map((text) =>
      Math.min(
        ...[1, 2, 3].map(() => {
          const begun = performance.now();
          pattern.test(text);
          return performance.now() - begun;
        }),
      ),
    );
    return Math.max(...times) > 20;
  });
  expect(slow).toEqual([]);
});
