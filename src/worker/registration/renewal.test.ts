import { describe, expect, it } from "vitest";
import { renewalDelay } from "./renewal.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("credentials are renewed", () => {
  it.each([
    ["half an hour before they expire", 4 * HOUR, 3.5 * HOUR],
    ["after two thirds of a short time", 3 * MINUTE, 2 * MINUTE],
    ["after a day, if they are valid for longer", 30 * 24 * HOUR, 24 * HOUR],
    ["once a second, if the clocks differ so much that they seem to have expired", -HOUR, 1000],
  ])("%s", (_, left, delay) => {
    expect(renewalDelay(new Date(left).toISOString(), 0)).toBe(delay);
  });
});
