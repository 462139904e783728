import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DateTime } from "../../api/schema.ts";
import { elementCheck } from "./schema-check.ts";

describe("a time", () => {
  const faults = elementCheck(DateTime);

  it.each([
    "2026-01-31T12:00:00Z",
    "2026-01-31t12:00:00.123456789z",
    "2026-01-31T12:00:00+05:30",
    "2026-01-31T12:00:00-15:59",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
  ])("may be %s", (text) => {
    expect(faults(text)).toEqual([]);
  });

  it.each([
    ["a leap second", "2016-12-31T23:59:60Z"],
    ["in the year 0", "0000-12-31T23:59:59Z"],
    ["before the year 1 by its offset", "0001-01-01T00:00:00+00:01"],
    ["after the year 9999 by its offset", "9999-12-31T23:59:59-00:01"],
    ["at an offset that no place has", "2026-01-31T12:00:00+16:00"],
    ["at an offset of almost a day", "2026-01-31T12:00:00-23:59"],
    ["without an offset", "2026-01-31T12:00:00"],
    ["a date", "2026-01-31"],
    ["on a day that does not exist", "2026-02-30T12:00:00Z"],
    ["text", "tomorrow"],
  ])("may not be %s", (_, text) => {
    expect(faults(text)).toEqual([
      {
        path: "",
        message:
          'must match format "date-time", such as 2026-01-31T12:00:00.000Z, from the year 1 to 9999 in UTC, with an offset below 16 hours',
      },
    ]);
  });

  it("that is accepted has a year of four digits in UTC", () => {
    const offset = fc.constantFrom("Z", "+15:59", "-15:59", "+00:00");
    const date = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(date, offset, (at, zone) => {
        const text = at.toISOString().replace("Z", zone);
        fc.pre(faults(text).length === 0);
        expect(new Date(text).toISOString()).toMatch(/^\d{4}-/);
      }),
    );
  });
});
