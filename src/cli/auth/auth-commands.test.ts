// The commands for clients, roles and scopes, with a real server.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { slugid } from "../../lib/slugid.ts";
import { runCli } from "../../../test/support/captured-io.ts";
import { testStack, type Stack } from "../../../test/support/stack.ts";
import { makeTemporaryFolder } from "../../../test/support/temporary-folder.ts";

let stack: Stack;
let folder = "";
beforeAll(async () => {
  stack = await testStack({ roles: ["api"] });
  folder = await makeTemporaryFolder();
});
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true });
});

const cli = (...words: string[]) => runCli(words, { env: stack.env, cwd: folder });
const ok = async (...words: string[]): Promise<string> => {
  const { status, out, err } = await cli(...words);
  expect({ words, status, err: status === 0 ? "" : err }).toEqual({ words, status: 0, err: "" });
  return out;
};
/** Returns the object that a command prints. */
const json = async (...words: string[]): Promise<unknown> => JSON.parse(await ok(...words, "--json"));

test("a client is created, shown, changed, reset and deleted, and its token printed only when it is new", async () => {
  const id = "cli/one";
  const created = await cli(
    "auth",
    "client",
    "create",
    id,
    "--scope",
    "a:b",
    "--scope",
    "c",
    "--expires",
    "30d",
  );
  const token = /^access token: (\S{22,})$/m.exec(created.out)?.[1] ?? "";
  expect(created.out).toMatch(/^client cli\/one created; it expires at \d{4}-/);
  const { expires } = await stack.client.auth.client({ clientId: id });
  expect(Math.round((Date.parse(expires) - Date.now()) / 86_400_000)).toBe(30);

  await ok("auth", "client", "update", id, "--add-scope", "d", "--remove-scope", "c", "--description", "One");
  const shown = await ok("auth", "client", "show", id);
  expect(shown).toContain("description  One\n");
  expect(shown).toContain("scopes:\n  a:b\n  d\n");
  expect(shown).not.toContain(token);
  expect(await json("auth", "client", "show", id)).toMatchObject({ expires, scopes: ["a:b", "d"] });

  expect(await ok("auth", "client", "disable", id)).toBe("client cli/one is disabled\n");
  expect(await ok("auth", "client", "list", "--prefix", "cli/")).toMatch(
    /^CLIENT +STATE +EXPIRES +LAST USED +SCOPES\ncli\/one +disabled +\S+ +\S+( \S+)? ago +2\n$/,
  );
  expect(await ok("auth", "client", "enable", id)).toBe("client cli/one is enabled\n");
  const reset = (await json("auth", "client", "reset", id)) as { accessToken: string };
  expect(reset.accessToken).not.toBe(token);
  expect(await ok("auth", "history", "client", id)).toMatch(
    /created +client +cli\/one +static\/taskcluster\/root\n/,
  );
  expect(await json("auth", "history", "--by", "static/taskcluster/root", "--limit", "1")).toMatchObject({
    auditHistory: [{ entityId: id }],
  });
  expect(await ok("auth", "client", "delete", id)).toBe("client cli/one deleted\n");
  expect(await json("auth", "client", "list", "--prefix", "cli/")).toEqual({ clients: [] });
});

test("a role is created, listed, changed and deleted", async () => {
  await writeFile(join(folder, "scopes.txt"), "x:<..>\n\n  y \n");
  expect(await ok("auth", "role", "create", "team:*", "--scopes", "scopes.txt")).toBe(
    "role team:* created\n",
  );
  expect(await ok("auth", "role", "list")).toMatch(/^ROLE +SCOPES +DESCRIPTION\n(.*\n)*team:\* +2\n/);
  expect(await ok("auth", "role", "list", "--ids")).toContain("team:*\n");
  await ok("auth", "role", "update", "team:*", "--add-scope", "z");
  expect(await json("auth", "role", "show", "team:*")).toMatchObject({ scopes: ["x:<..>", "y", "z"] });
  expect(await ok("auth", "expand", "--scope", "assume:team:a")).toBe("assume:team:a\nx:a\ny\nz\n");
  expect(await ok("auth", "scopes")).toContain("*\n");
  expect(await ok("auth", "preview", "team:*", "--remove-scope", "y")).toContain("  team:*\n    - y\n");
  expect(await ok("auth", "preview", "team:*", "--delete")).toContain("If the role team:* were deleted:\n");
  expect(await ok("auth", "preview", "other", "--add-scope", "a")).toContain("    + a\n");
  expect(await ok("auth", "role", "delete", "team:*")).toBe("role team:* deleted\n");
});

test("an explanation says why, and its exit status whether", async () => {
  const taskId = slugid();
  await ok("auth", "role", "create", "grp:*", "--scope", "queue:get-task:*");
  const allowed = await ok("auth", "explain", "--scope", "assume:grp:a", "queue.task", `taskId=${taskId}`);
  expect(allowed).toBe(
    [
      "Yes: a holder of these scopes may call queue.task.",
      "",
      "Because:",
      `  queue:get-task:${taskId}`,
      "    a holder of these scopes has the role grp:a (assume:grp:a)",
      "    the role grp:* grants queue:get-task:*, which covers all that begins with queue:get-task:",
      "",
    ].join("\n"),
  );
  const denied = await cli(
    "auth",
    "explain",
    "--role",
    "grp:a",
    "--requires",
    "one",
    "--requires",
    '{"AnyOf":["b"]}',
  );
  expect(denied.status).toBe(1);
  expect(denied.out).toContain(
    "No: a holder of the role grp:a does not have all that is required.\n\nMissing 2 scopes:\n  b\n  one\n",
  );
  await writeFile(join(folder, "cache.yml"), "cacheName: 3.10\n");
  const method = ["purge-cache.purgeCache", "workerPoolId=a/b", "--body", "cache.yml"];
  expect((await cli("auth", "explain", "--role", "grp:a", ...method)).out).toContain(
    "  purge-cache:a/b:3.10\n",
  );
});

test("any method can be called", async () => {
  await writeFile(join(folder, "role.json"), '{"scopes": ["s"], "description": ""}');
  expect(
    JSON.parse(await ok("call", "auth.createRole", "roleId=called", "--body", "role.json")),
  ).toMatchObject({
    roleId: "called",
  });
  expect(JSON.parse(await ok("call", "auth.listRoleIds", "limit=1"))).toMatchObject({
    continuationToken: expect.any(String),
  });
  expect(await ok("call", "auth.deleteRole", "roleId=called")).toBe("");
  expect(JSON.parse(await ok("call", "purge-cache.allPurgeRequests"))).toEqual({ requests: [] });
});

test("secrets are stored, listed, printed and removed", async () => {
  await writeFile(join(folder, "secret.yml"), "key: abc\n");
  expect(await ok("secret", "set", "web/key", "secret.yml", "--expires", "1 day")).toMatch(
    /^secret web\/key stored until \d/,
  );
  expect(await ok("secret", "list")).toBe("web/key\n");
  expect(JSON.parse(await ok("secret", "get", "web/key"))).toEqual({ key: "abc" });
  expect(await json("secret", "get", "web/key")).toMatchObject({ secret: { key: "abc" } });
  expect(await ok("secret", "remove", "web/key")).toBe("secret web/key deleted\n");
  expect(await json("secret", "list")).toEqual({ secrets: [] });
});

test("purges of caches are requested and listed", async () => {
  await ok("purge-cache", "request", "purge/pool", "npm");
  for (const pool of [[], ["purge/pool"]])
    expect(await ok("purge-cache", "list", ...pool)).toMatch(
      /^POOL +CREATED BEFORE +CACHE\npurge\/pool +\d.* npm\n$/,
    );
});

describe("invalid arguments", () => {
  test.each([
    ["auth client update a", "nothing to change: use --add-scope"],
    ["auth client create a --expires soon", '--expires soon: must be a duration such as 30d or "1 year"'],
    ["auth client lst", "unknown auth client command lst; did you mean list?"],
    ["auth clients", "unknown auth command clients; did you mean client?"],
    ["auth client", "auth client needs a command"],
    ["auth client list --all --limit 1", "--all and --limit: use one of them"],
    ["auth role update a", "nothing to change"],
    ["auth role update a --scope b --add-scope c", "--scope and --scopes replace all scopes"],
    ["auth preview a", "auth preview needs a change"],
    ["auth explain", "auth explain needs to know what"],
    ["auth explain queue.tsk", "queue has no method tsk; did you mean queue.task?"],
    ["auth explain queue.task.x", "queue has no method task.x; did you mean queue.task?"],
    ["auth explain queue.task a", "a: must be a parameter as NAME=VALUE"],
    ["auth explain --requires {", "--requires {: must be a scope or JSON"],
    ["auth history role", "auth history needs ID"],
    ["auth expand", "no scopes: use --scope or --scopes"],
    ["call queue.task", "queue.task needs taskId=VALUE"],
    ["call queue.task id=x", "queue.task has no parameter id; it takes taskId"],
    ["call auth.createRole roleId=a", "auth.createRole needs a body"],
    ["call nothing.at", "nothing.at: must be a method such as queue.createTask"],
  ])("%s is a usage error", async (line, message) => {
    const { status, err } = await cli(...line.split(" "));
    expect(err).toContain(`error: ${message}`);
    expect(status).toBe(2);
  });
});
