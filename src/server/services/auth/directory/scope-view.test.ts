import { expect, test } from "vitest";
import { testDirectory } from "../../../../../test/support/client-directory.ts";
import { createRoleView } from "./role-view.ts";
import { createScopeView } from "./scope-view.ts";

const client = (clientId: string, scopes: readonly string[]) => ({
  clientId,
  accessToken: "a",
  scopes,
  expires: Infinity,
  disabled: false,
});
const holder = client("holder", ["assume:project:a"]);
const other = client("other", ["b"]);

test("a change of a role replaces only the expansions that depend on it", () => {
  const { roles, view } = testDirectory(
    [holder, other],
    [
      { roleId: "anonymous", scopes: ["anon"] },
      { roleId: "project:*", scopes: ["queue:<..>"] },
    ],
  );
  const [own, others] = [view.expandedOf(holder), view.expandedOf(other)];
  roles.set({ roleId: "unrelated", scopes: ["x"] });
  expect(view.expandedOf(holder)).toBe(own);
  roles.set({ roleId: "project:a", scopes: ["y"] });
  expect(view.expandedOf(holder).list).toEqual(["assume:project:a", "queue:a", "y"]);
  expect(view.expandedOf(other)).toBe(others);
  roles.delete("project:*");
  expect(view.expandedOf(holder).list).toEqual(["assume:project:a", "y"]);
});

test("every caller's scopes depend on the role anonymous", () => {
  const { roles, view } = testDirectory([other], [{ roleId: "anonymous", scopes: ["anon"] }]);
  const { scopes, basis } = view.ofClient(other);
  expect([scopes.list, view.isCurrent(basis)]).toEqual([["anon", "assume:anonymous", "b"], true]);
  roles.set({ roleId: "anonymous", scopes: ["changed"] });
  expect(view.isCurrent(basis)).toBe(false);
  expect(view.ofClient(other).scopes.list).toEqual(["assume:anonymous", "b", "changed"]);
});

test("expansions from before more changes than are remembered are made again", () => {
  const roles = createRoleView();
  const view = createScopeView(roles);
  const { basis } = view.effective(["a"]);
  for (let i = 0; i < 2_500; i++) roles.set({ roleId: "r", scopes: [`${i}`] });
  expect(roles.changedSince(roles.version - 1)).toEqual(["r"]);
  expect(roles.changedSince(0)).toBeUndefined();
  expect(view.isCurrent(basis)).toBe(false);
});

test("roles of the configuration stay as they are, and the same scopes are no change", () => {
  const roles = createRoleView({ fixed: [{ roleId: "fixed", scopes: ["a"] }] });
  roles.set({ roleId: "fixed", scopes: ["b"] });
  roles.delete("fixed");
  expect([roles.expand(["assume:fixed"]), roles.version]).toEqual([["a", "assume:fixed"], 0]);
  for (let i = 0; i < 2; i++) roles.set({ roleId: "r", scopes: ["a", "b"] });
  expect(roles.version).toBe(1);
});
