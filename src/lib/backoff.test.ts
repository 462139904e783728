import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffDelay } from "./backoff.ts";

describe("backoffDelay", () => {
  it("doubles from the base up to the upper bound", () => {
    const plain = { baseMs: 100, maxMs: 1000, jitter: 0 };
    expect([0, 1, 2, 3, 4, 2000].map((n) => backoffDelay(n, plain))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
  });

  it("changes a delay by no more than the jitter and never exceeds the upper bound", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const delay = backoffDelay(attempt, { baseMs: 100, maxMs: 30_000, jitter: 0.25 }, () => random);
        const middle = Math.min(30_000, 100 * 2 ** attempt);
        return delay >= middle * 0.75 - 1 && delay <= Math.min(30_000, middle * 1.25 + 1);
      }),
    );
  });
});
