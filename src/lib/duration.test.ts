import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, formatSize, parseDuration, parseSize } from "./duration.ts";

describe("parseDuration", () => {
  it("reads a whole number and a unit as milliseconds", () => {
    expect(["500ms", "1200s", "20m", "12h", "5d", "0s", " 20 m "].map(parseDuration)).toEqual([
      500, 1_200_000, 1_200_000, 43_200_000, 432_000_000, 0, 1_200_000,
    ]);
  });

  it("refuses a number without a unit and shows how to write one", () => {
    expect(() => parseDuration("1200")).toThrow("has no unit: write a duration such as 20m, 1200s or 500ms");
  });

  it("refuses an unknown unit and lists the known ones", () => {
    expect(() => parseDuration("2weeks")).toThrow('has the unknown unit "weeks": use one of ms, s, m, h, d');
    expect(() => parseDuration("5M")).toThrow('has the unknown unit "M"');
    expect(() => parseDuration("5constructor")).toThrow('has the unknown unit "constructor"');
  });

  it.each(["", "m", "-5m", "1.5h", "1h30m", "1e3s", "0x10s", "5 minutes ago"])("refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow(
      "is not a duration: write a whole number and a unit, such as 20m",
    );
  });

  it("refuses a duration that a number cannot represent exactly", () => {
    expect(() => parseDuration("999999999999d")).toThrow("is too large for a duration");
  });
});

describe("parseSize", () => {
  it("reads decimal and binary units as bytes", () => {
    expect(["0B", "10kB", "10MB", "50GB", "2TB", "1KiB", "10MiB", "1GiB", "1TiB"].map(parseSize)).toEqual([
      0, 10_000, 10_000_000, 50_000_000_000, 2_000_000_000_000, 1024, 10_485_760, 1_073_741_824,
      1_099_511_627_776,
    ]);
  });

  it("refuses a bare number and an unknown unit", () => {
    expect(() => parseSize("1000")).toThrow("has no unit: write a size such as 10MB, 512KiB or 50GB");
    expect(() => parseSize("10mb")).toThrow('has the unknown unit "mb": use one of B, kB, MB');
  });
});

describe("formatting quantities", () => {
  it("uses the largest unit that is exact", () => {
    expect([1_200_000, 90_000, 86_400_000, 1, 0].map(formatDuration)).toEqual([
      "20m",
      "90s",
      "1d",
      "1ms",
      "0ms",
    ]);
    expect([10_485_760, 50_000_000_000, 1023, 0].map(formatSize)).toEqual(["10MiB", "50GB", "1023B", "0B"]);
  });

  it("is the inverse of parsing", () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        (n) => parseDuration(formatDuration(n)) === n && parseSize(formatSize(n)) === n,
      ),
    );
  });

  it("refuses values that are not quantities", () => {
    expect(() => formatDuration(-1)).toThrow("-1 is not a duration");
    expect(() => formatSize(0.5)).toThrow("0.5 is not a size");
  });
});
