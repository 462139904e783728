import fc from "fast-check";
import { expect, test } from "vitest";
import { anyRoles, grantableScope, roleScope } from "../../../test/support/arbitrary-scopes.ts";
import { normalForm } from "./normal-form.ts";
import { compileRoles, createRoleIndex, type Role } from "./roles.ts";
import { satisfies } from "./scope-set.ts";

const roles = (byId: Record<string, readonly string[]>): Role[] =>
  Object.entries(byId).map(([roleId, scopes]) => ({ roleId, scopes }));

const expand = (byId: Record<string, readonly string[]>, ...scopes: string[]): string[] =>
  compileRoles(roles(byId)).expand(scopes);

test("a role grants its scopes and those of the roles that it assumes", () => {
  const byId = { a: ["A", "assume:b"], b: ["B", "assume:c"], c: ["C"], d: ["D"] };
  expect(expand(byId, "assume:a")).toEqual(["A", "B", "C", "assume:a", "assume:b", "assume:c"]);
  expect(expand(byId, "assume:ab", "assume:")).toEqual(["assume:", "assume:ab"]);
});

test("a star role applies to every role id with its prefix, including separators", () => {
  const byId = { "test-role-abc-*": ["X"] };
  expect(expand(byId, "assume:test-role-abc-1")).toEqual(["X", "assume:test-role-abc-1"]);
  expect(expand(byId, "assume:test-role-abc-")).toEqual(["X", "assume:test-role-abc-"]);
  expect(expand(byId, "assume:test-role-abc")).toEqual(["assume:test-role-abc"]);
});

test("all matching star roles apply", () => {
  const byId = { "a*": ["A"], "aa*": ["AA"], "*": ["all"] };
  expect(expand(byId, "assume:aa")).toEqual(["A", "AA", "all", "assume:aa"]);
  expect(expand(byId, "assume:a")).toEqual(["A", "all", "assume:a"]);
  expect(expand(byId, "assume:")).toEqual(["all", "assume:"]);
});

test("the parameter is the text that the star of the role matches", () => {
  const byId = { "e*": ["E<..>F", "plain"] };
  expect(expand(byId, "assume:eX")).toEqual(["EXF", "assume:eX", "plain"]);
  expect(expand(byId, "assume:e")).toEqual(["EF", "assume:e", "plain"]);
});

test("for a held star scope the parameter ends in a star, and the rest of the granted scope is cut off", () => {
  const byId = { "e*": ["E<..>F"] };
  expect(expand(byId, "assume:eX*")).toEqual(["EX*", "assume:eX*"]);
  expect(expand(byId, "assume:e*")).toEqual(["E*", "assume:e*"]);
  expect(expand(byId, "assume:*")).toEqual(["E*", "assume:*"]);
});

test("a role without a star has no parameter", () => {
  expect(expand({ e: ["E<..>F"] }, "assume:e")).toEqual(["E<..>F", "assume:e"]);
});

test("the parameter is passed to the roles that a role assumes", () => {
  const byId = { "repo:*": ["assume:project:<..>"], "project:*": ["queue:route:<..>:*"] };
  expect(expand(byId, "assume:repo:x/y")).toContain("queue:route:x/y:*");
  expect(expand(byId, "assume:repo:x*")).toContain("queue:route:x*");
});

test("a held star scope grants every role with its prefix", () => {
  const byId = { p: ["P"], pq: ["PQ"], "pr*": ["PR<..>"], q: ["Q"] };
  expect(expand(byId, "assume:p*")).toEqual(["P", "PQ", "PR*", "assume:p*"]);
});

test.each(["a*", "as*", "assume*", "assume:*"])("%s grants the scopes of all roles", (held) => {
  expect(expand({ x: ["X"], "y*": ["Y<..>Z"] }, held)).toEqual(["X", "Y*", held]);
});

test("the star alone grants everything", () => {
  expect(expand({ x: ["X"] }, "*", "foo")).toEqual(["*"]);
  expect(expand({ x: ["*"] }, "assume:x")).toEqual(["*"]);
});

test("roles without a parameter may grant each other", () => {
  const byId = { a: ["A", "assume:b"], b: ["B", "assume:a"] };
  expect(expand(byId, "assume:b")).toEqual(["A", "B", "assume:a", "assume:b"]);
});

test("an expansion whose parameter grows without end throws instead of filling the memory", () => {
  expect(() => expand({ "a*": ["assume:ab<..>"] }, "assume:a")).toThrow("roles grant each other without end");
  expect(() => expand({ "a*": ["assume:ab<..>", "assume:ac<..>"] }, "assume:a")).toThrow(
    "roles grant each other without end",
  );
});

const anyHeld = fc.array(roleScope, { maxLength: 5 });

test("an expansion covers its input, and expanding it again adds nothing", () => {
  fc.assert(
    fc.property(anyRoles, anyHeld, (all, held) => {
      const resolver = compileRoles(all);
      const expanded = resolver.expand(held);
      expect(expanded).toEqual(normalForm(expanded));
      for (const scope of held) expect(satisfies(expanded, scope)).toBe(true);
      expect(resolver.expand(expanded)).toEqual(expanded);
    }),
    { numRuns: 1_000 },
  );
});

test("covering more scopes grants no fewer", () => {
  fc.assert(
    fc.property(anyRoles, anyHeld, anyHeld, (all, held, other) => {
      const resolver = compileRoles(all);
      const weaker = other.filter((scope) => satisfies(held, scope));
      const strong = resolver.expand(held);
      for (const scope of resolver.expand(weaker)) expect(satisfies(strong, scope)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("the expansion of a union is the union of the expansions", () => {
  fc.assert(
    fc.property(anyRoles, anyHeld, anyHeld, (all, a, b) => {
      const resolver = compileRoles(all);
      expect(resolver.expand([...a, ...b])).toEqual(
        normalForm([...resolver.expand(a), ...resolver.expand(b)]),
      );
    }),
  );
});

test("the expanded set covers the same scopes as the expanded list", () => {
  fc.assert(
    fc.property(anyRoles, anyHeld, grantableScope, (all, held, required) => {
      const resolver = compileRoles(all);
      const set = resolver.expandToSet(held);
      expect(set.list).toEqual(resolver.expand(held));
      expect(set.satisfies(required)).toBe(satisfies(resolver.expand(held), required));
    }),
  );
});

test("the resolver agrees with a scan of all roles without an index", () => {
  fc.assert(
    fc.property(anyRoles, anyHeld, (all, held) => {
      expect(compileRoles(all).expand(held)).toEqual(slowExpand(all, held));
    }),
    { numRuns: 1_000 },
  );
});

/** The rules by definition: every role is compared with every scope until nothing changes. */
function slowExpand(all: readonly Role[], held: readonly string[]): string[] {
  const byId = new Map(all.map((role) => [role.roleId, role.scopes]));
  const reached = new Set(held);
  for (const scope of reached) {
    for (const [roleId, granted] of byId) {
      const isStarRole = roleId.endsWith("*");
      const prefix = `assume:${roleId.slice(0, -1)}`;
      if (satisfies([scope], `assume:${roleId}`)) {
        for (const g of granted) reached.add(isStarRole ? g.replace(/<\.\.>.*$/, "*") : g);
      }
      if (!isStarRole || !scope.startsWith(prefix)) continue;
      const rest = scope.slice(prefix.length);
      for (const g of granted) {
        reached.add(rest.endsWith("*") ? g.replace(/<\.\.>.*$/, () => rest) : g.replace("<..>", () => rest));
      }
    }
  }
  return normalForm(reached);
}

test("an index that is changed role by role equals one of the final roles", () => {
  const change = fc.record({
    roleId: grantableScope,
    scopes: fc.option(fc.array(roleScope, { maxLength: 3 })),
  });
  fc.assert(
    fc.property(anyRoles, fc.array(change, { maxLength: 10 }), anyHeld, (before, changes, held) => {
      const index = createRoleIndex(before);
      const final = new Map(before.map((role) => [role.roleId, role]));
      for (const { roleId, scopes } of changes) {
        if (scopes === null) index.delete(roleId);
        else index.set({ roleId, scopes });
        if (scopes === null) final.delete(roleId);
        else final.set(roleId, { roleId, scopes });
      }
      // A changed role may close a cycle, in which both expansions throw.
      const expanded = (roles: Pick<typeof index, "expand">) => {
        try {
          return roles.expand(held);
        } catch {
          return "without end";
        }
      };
      expect(expanded(index)).toEqual(expanded(compileRoles(final.values())));
      expect([...index.values()].map(({ roleId }) => roleId).toSorted()).toEqual(
        [...final.keys()].toSorted(),
      );
    }),
    { numRuns: 1_000 },
  );
});

test("an expansion depends on every role whose change changes it", () => {
  const scopes = fc.option(fc.array(roleScope, { maxLength: 3 }));
  fc.assert(
    fc.property(anyRoles, anyHeld, grantableScope, scopes, (all, held, roleId, changed) => {
      const index = createRoleIndex(all);
      const before = index.expansionOf(held);
      if (changed === null) index.delete(roleId);
      else index.set({ roleId, scopes: changed });
      if (!before.dependsOn(roleId)) expect(before.scopes.list).toEqual(index.expand(held));
    }),
    { numRuns: 5_000 },
  );
});

test("an expansion does not depend on roles that none of its scopes assumes", () => {
  const index = createRoleIndex(roles({ a: ["assume:b:c", "*x"], "q*": ["Q"] }));
  const dependsOn = (scopes: readonly string[], ids: readonly string[]) => {
    const { dependsOn: depends } = index.expansionOf(scopes);
    return ids.filter(depends);
  };
  const ids = ["a", "aa", "b", "b:c", "b:*", "c", "*", "a*", "b:c*", "b:cd*"];
  expect(dependsOn(["assume:a"], ids)).toEqual(["a", "b:c", "b:*", "*", "a*", "b:c*"]);
  expect(dependsOn(["assume:b:*"], ids)).toEqual(["b:c", "b:*", "*", "b:c*", "b:cd*"]);
  expect(dependsOn(["x", "a:*", "*"], ids)).toEqual([]);
  expect(dependsOn(["ass*"], ids)).toEqual(ids);
  index.set({ roleId: "a", scopes: ["*"] });
  expect(dependsOn(["assume:a"], ids)).toContain("a");
});
