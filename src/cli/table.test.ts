import { expect, test } from "vitest";
import { formatTable } from "./table.ts";

const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;

test("columns are as wide as their widest cell", () => {
  expect(
    formatTable(
      ["A", "LONG", "C"],
      [
        ["1", "2", "3"],
        ["wide one", "", "x"],
      ],
    ),
  ).toEqual(["A         LONG  C", "1         2     3", "wide one        x"]);
});

test("columns are aligned by what is visible, not by color codes", () => {
  expect(
    formatTable(
      ["A", "STATE", "B"],
      [
        ["1", red("failed"), "x"],
        ["22", "ok", ""],
      ],
    ),
  ).toEqual(["A   STATE   B", `1   ${red("failed")}  x`, "22  ok"]);
});

test("only the last column is cut to the width", () => {
  const rows = [["fN1SbArXTPSVFNUvaOlinQ", "a long name, with 🎉🎉 in it"]];
  expect(formatTable(["TASK", "NAME"], rows, 45)).toEqual([
    "TASK                    NAME",
    "fN1SbArXTPSVFNUvaOlinQ  a long name, with 🎉🎉…",
  ]);
  expect(formatTable(["TASK", "NAME"], rows, 10)[1]).toBe("fN1SbArXTPSVFNUvaOlinQ  a long …");
});
