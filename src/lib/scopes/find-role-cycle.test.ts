import { expect, test } from "vitest";
import { findRoleCycle } from "./find-role-cycle.ts";
import { createRoleIndex } from "./roles.ts";

/** Returns the cycle through a role of these. */
const cycle = (roleId: string, byId: Record<string, readonly string[]>): string[] | undefined => {
  const roles = Object.entries(byId).map(([id, scopes]) => ({ roleId: id, scopes }));
  return findRoleCycle({ roleId, scopes: byId[roleId] ?? [] }, createRoleIndex(roles));
};

test("roles that do not lead back have no cycle", () => {
  expect(
    cycle("a", { a: ["assume:b", "assume:c"], b: ["assume:d"], c: ["assume:d"], d: ["D"] }),
  ).toBeUndefined();
  expect(cycle("a*", { "a*": ["assume:b:<..>"], "b:*": ["B<..>"] })).toBeUndefined();
  // A cycle among others is not one through this role.
  expect(cycle("a", { a: ["assume:b"], b: ["assume:b"] })).toBeUndefined();
});

test.each<[string, string, Record<string, readonly string[]>, string[]]>([
  ["a role that assumes itself", "a", { a: ["assume:a"] }, ["a", "a"]],
  ["two roles", "a", { a: ["assume:b"], b: ["assume:a"] }, ["a", "b", "a"]],
  ["a star role that its own scope matches", "a*", { "a*": ["assume:ab"] }, ["a*", "a*"]],
  ["a parameter that may be empty", "a*", { "a*": ["assume:a<..>"] }, ["a*", "a*"]],
  [
    "a parameter that may name the role",
    "a*",
    { "a*": ["assume:b<..>"], bc: ["assume:a1"] },
    ["a*", "bc", "a*"],
  ],
  ["a scope that assumes every role", "a", { a: ["assume:*"] }, ["a", "a"]],
  ["a scope that covers all that assume roles", "a", { a: ["ass*"] }, ["a", "a"]],
  ["the scope that covers everything", "a", { a: ["*"] }, ["a", "a"]],
])("%s is a cycle", (_, roleId, byId, expected) => {
  expect(cycle(roleId, byId)).toEqual(expected);
});

test("a cycle of ten thousand roles is found", () => {
  const size = 10_000;
  const chain = Array.from({ length: size }, (_, i) => [`r${i}`, [`assume:r${(i + 1) % size}`]] as const);
  expect(cycle("r0", Object.fromEntries(chain))).toHaveLength(size + 1);
});
