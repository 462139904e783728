import { expect, it } from "vitest";
import { warnWithoutInit } from "./init-warning.ts";

it.each([
  [1, [expect.stringContaining("`docker run --init`")]],
  [2, []],
])("warns as process %i: %s", (pid, expected) => {
  const warnings: string[] = [];
  warnWithoutInit({ warn: (text: unknown) => void warnings.push(String(text)) }, pid);
  expect(warnings).toEqual(expected);
});
