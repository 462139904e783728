// The patterns of parameters are applied to input from unauthenticated callers.
import { expect, it } from "vitest";
import { methods } from "../../test/support/contract-calls.ts";

/** Parameters of the maximum length: text with many partial matches, and an end that no pattern matches. */
const malicious = ["1", "0", "a", "A", "-", "_", "/", " ", "aA1", "a/"].map((text) =>
  `${text.repeat(8192 / text.length)}\n`.slice(-8192),
);

it("no pattern takes more than linear time", () => {
  const patterns = new Map<string, RegExp>();
  for (const { of } of methods)
    for (const pattern of Object.values({ ...of.params, ...of.query })) patterns.set(pattern.source, pattern);
  expect(patterns.size).toBeGreaterThan(5);
  const slow = [...patterns.values()].filter((pattern) => {
    // The best of three attempts, because the machine may be busy. Quadratic time would be 100 ms or more.
    const times = malicious.map((text) =>
      Math.min(
        ...[1, 2, 3].map(() => {
          const start = performance.now();
          pattern.test(text);
          return performance.now() - start;
        }),
      ),
    );
    return Math.max(...times) > 20;
  });
  expect(slow).toEqual([]);
});
