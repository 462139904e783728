import { expect, test } from "vitest";
import { counted } from "./counted.ts";

test("a count has its noun in the right number", () => {
  expect([0, 1, 2].map((n) => counted(n, "task"))).toEqual(["0 tasks", "1 task", "2 tasks"]);
  expect(counted(1, "dependency", "dependencies")).toBe("1 dependency");
  expect(counted(3, "dependency", "dependencies")).toBe("3 dependencies");
});
