import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { onlyAsRoot } from "../../../test/support/only-if.ts";
import { localOwner } from "./local-owner.ts";

test("the owner is the current user at this host", () => {
  expect(localOwner()).toMatch(/^[^@]+@[^@]+$/);
});

test("the owner of a user id without a name is the id", onlyAsRoot, () => {
  const program = `import { localOwner } from ${JSON.stringify(new URL("./local-owner.ts", import.meta.url).href)};
    process.setuid(54321);
    process.stdout.write(localOwner());`;
  const args = ["--import", "tsx", "--input-type=module", "-e", program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(stdout, stderr).toMatch(/^uid-54321@/);
});
