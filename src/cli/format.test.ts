import { expect, test } from "vitest";
import { byteSize, fitted, localTime, timeBetween } from "./format.ts";

test("times are in the user's time zone", () => {
  const at = new Date(2026, 0, 31, 4, 5, 6);
  expect(localTime(at.toISOString())).toMatch(/^2026-01-31 04:05:06 [-+]\d\d:\d\d$/);
  const named = localTime(at.toISOString());
  expect(Date.parse(named.replace(" ", "T").replace(" ", ""))).toBe(at.getTime());
  expect(localTime(undefined)).toBe("-");
});

test.each([
  [0, "0ms"],
  [850, "850ms"],
  [12_345, "12.3s"],
  [245_000, "4m 5s"],
  [7_800_000, "2h 10m"],
  [172_799_999, "47h 59m"],
  [187_200_000, "2d 4h"],
  [-5, "0ms"],
])("%d ms take %s", (ms, text) => {
  expect(timeBetween(new Date(0).toISOString(), new Date(ms).toISOString())).toBe(text);
});

test("a duration without a start is a dash", () => {
  expect(timeBetween(undefined, "2026-01-31T00:00:00Z")).toBe("-");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1400, "1.4 kB"],
  [2_500_000, "2.5 MB"],
  [1e15, "1000.0 TB"],
])("%d bytes are %s", (bytes, text) => {
  expect(byteSize(bytes)).toBe(text);
});

test("a text that is too long is cut by its visible characters, and loses its colors", () => {
  const red = "\u001b[31m日本🎉 x\u001b[39m";
  expect([fitted(red, 5), fitted(red, 4)]).toEqual([red, "日本🎉…"]);
});
