import { expect, test } from "vitest";
import { missingFrom } from "./output-shape.ts";

const output = `
task fN1SbArXTPSVFNUvaOlinQ on local/default
a  ███░░  5
critical path: 3 of 7 tasks, 58.1s
TASK                GAP  RUN
b    ▒▒▒█████      0ms   18s
`;

test("ids, numbers, units, bars and widths may differ", () => {
  const shown = `
task GktF3oGzSmGrVoRXxY7mAA on local/default
a █░░░ 1
critical path: 12 of 30 tasks, 1.5s

TASK   GAP  RUN
b ████ 3s 100ms
`;
  expect(missingFrom(output, shown)).toEqual([]);
});

test("words may not differ, and lines may be left out only where the text says so", () => {
  expect(missingFrom(output, "task GktF3oGzSmGrVoRXxY7mAA on local/other")).toEqual([
    "task ID on local/other",
  ]);
  expect(missingFrom(output, "a █ 1")).toEqual(["a ▒ 0"]);
  expect(missingFrom(output, "…\na █ 1\n…\nb █ 1s 1s\n")).toEqual([]);
});
