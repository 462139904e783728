import { expect, it } from "vitest";
import { DatabaseUnavailable } from "../db-errors.ts";
import { ApiError } from "../../../lib/errors.ts";
import { retryAfter } from "./retry-after.ts";

const busy = (retryAfterMs?: number) =>
  retryAfter(new ApiError("TooManyRequests", "Wait.", retryAfterMs === undefined ? {} : { retryAfterMs }));

it("a refusal for now names the seconds that are known, rounded up, from 1 to 30", () => {
  expect([busy(), busy(0), busy(1), busy(1_001), busy(29_000), busy(31_000), busy(Infinity)]).toEqual([
    "1",
    "1",
    "1",
    "2",
    "29",
    "30",
    "30",
  ]);
});

it("an outage of the database names its usual duration", () => {
  const outages = ["unreachable", "conflict", "overloaded", "read-only", "disk full"] as const;
  expect(outages.map((outage) => retryAfter(new DatabaseUnavailable(undefined, outage)))).toEqual([
    "1",
    "1",
    "3",
    "5",
    "15",
  ]);
});

it("other errors name none", () => {
  expect(retryAfter(new ApiError("RequestConflict", "Wait.", { retryAfterMs: 1_000 }))).toBeUndefined();
});
