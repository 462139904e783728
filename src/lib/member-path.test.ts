import { expect, it } from "vitest";
import { memberPath } from "./member-path.ts";

it.each([
  ["", ""],
  ["/a", ".a"],
  ["/routes/2", ".routes[2]"],
  ["/0/clientId", "[0].clientId"],
  ["/a~1b/c~0d/~01", ".a/b.c~d.~1"],
])("converts the JSON pointer %j to %j", (pointer, path) => {
  expect(memberPath(pointer)).toBe(path);
});
