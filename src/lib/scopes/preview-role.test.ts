import fc from "fast-check";
import { expect, test } from "vitest";
import { anyRoles, roleScope } from "../../../test/support/arbitrary-scopes.ts";
import { previewRole } from "./preview-role.ts";
import { compileRoles } from "./roles.ts";

const everyone = ["assume:anonymous"];

test("a change of the role of everyone concerns each client that has no such scopes of its own", () => {
  const roles = [{ roleId: "anonymous", scopes: ["a", "b"] }];
  const preview = previewRole(roles, { roleId: "anonymous", scopes: ["b", "c"] }, everyone);
  expect(preview.ofClient([])).toEqual({ gained: ["c"], lost: ["a"] });
  expect(preview.ofClient(["a*"])).toEqual({ gained: ["c"], lost: [] });
  expect(preview.ofClient(["*"])).toBeUndefined();
});

test("a preview is the difference between the expansions before and after the change", () => {
  const change = fc.record({
    roleId: fc.constantFrom("anonymous", "a", "b*", "*"),
    scopes: fc.option(fc.array(roleScope, { maxLength: 2 })),
  });
  fc.assert(
    fc.property(anyRoles, change, fc.array(roleScope, { maxLength: 3 }), (roles, changed, assigned) => {
      const others = roles.filter(({ roleId }) => roleId !== changed.roleId);
      const { scopes } = changed;
      const before = compileRoles(roles);
      const after = compileRoles(scopes ? [...others, { roleId: changed.roleId, scopes }] : others);
      const expand = () => {
        const all = [...assigned, ...everyone];
        return [before.expandToSet(all), after.expandToSet(all)] as const;
      };
      let sets: ReturnType<typeof expand>;
      try {
        sets = expand();
      } catch {
        // Random roles may grant each other without end.
        return;
      }
      const found = previewRole(roles, changed, everyone).ofClient(assigned) ?? { gained: [], lost: [] };
      const [was, is] = sets;
      for (const scope of found.gained)
        if (was.satisfies(scope) || !is.satisfies(scope)) throw new Error(`${scope} is not gained`);
      for (const scope of found.lost)
        if (!was.satisfies(scope) || is.satisfies(scope)) throw new Error(`${scope} is not lost`);
      const gained = compileRoles([]).expandToSet([...was.list, ...found.gained]);
      const lost = compileRoles([]).expandToSet([...is.list, ...found.lost]);
      if (!is.list.every(gained.satisfies)) throw new Error("a gained scope is not listed");
      if (!was.list.every(lost.satisfies)) throw new Error("a lost scope is not listed");
    }),
    { numRuns: 5_000 },
  );
});
