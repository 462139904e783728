// `taskyard apply` and `taskyard export` with a real server.
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runCli, type CapturedIoOptions } from "../../../test/support/captured-io.ts";
import { testStack, type Stack } from "../../../test/support/stack.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ roles: ["api"] });
});
afterAll(() => stack.stop());

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

const write = async (text: string, name = "d/all.yml"): Promise<void> => {
  await mkdir(join(folder, name, ".."), { recursive: true });
  await writeFile(join(folder, name), text);
};
const cli = (words: string, options: CapturedIoOptions = {}) =>
  runCli(words.split(" ").filter(Boolean), {
    cwd: folder,
    ...options,
    env: { ...stack.env, ...options.env },
  });
const apply = (words = "--yes", options: CapturedIoOptions = {}) => cli(`apply ${words} d`, options);
/** Applies a text, and returns what is printed about its changes. */
async function applied(text: string, words = "--yes"): Promise<string> {
  await write(text);
  const { status, out, err } = await apply(words);
  expect({ status, err: err.replace(/^note: .*\n/, "") }).toEqual({ status: 0, err: "" });
  return out;
}
const nothing = "nothing to do: the server has what the folder describes\n";
const expires = "2050-01-01T00:00:00.000Z";

test("a folder is made true, its tokens are shown once, and a second run has nothing to do", async () => {
  const text = `
managed: { clients: [a/*], roles: ["repo:a/*"] }
roles:
  repo:a/*: { description: The repositories., scopes: ["queue:route:a.<..>", assume:tools-a] }
clients:
  a/ci:
    description: 3.10
    expires: ${expires}
    scopes: [assume:repo:a/x, "queue:create-task:highest:*"]
  a/off: { description: "", expires: ${expires}, disabled: true }
`;
  const out = await applied(text);
  const token = /access token of a\/ci, which is shown only now: (\S{44})/.exec(out)?.[1] ?? "";
  expect(out.replaceAll(/now: \S{44}/g, "now: TOKEN")).toBe(`+ role repo:a/*
    description: "The repositories."
    scopes:
      + assume:tools-a
      + queue:route:a.<..>
+ client a/ci
    description: "3.10"
    expires: "${expires}"
    scopes:
      + assume:repo:a/x
      + queue:create-task:highest:*
+ client a/off
    description: ""
    expires: "${expires}"
    scopes: []
    disabled: true

3 to create, 0 to change, 0 to delete
created the role repo:a/*
access token of a/ci, which is shown only now: TOKEN
created the client a/ci
access token of a/off, which is shown only now: TOKEN
created the client a/off
`);
  const { scopes } = await stack.as({ clientId: "a/ci", accessToken: token }).auth.currentScopes();
  expect(scopes).toContain("queue:route:a.x");
  expect(await stack.client.auth.client({ clientId: "a/off" })).toMatchObject({ disabled: true });
  expect(await applied(text)).toBe(nothing);

  await stack.client.auth.createClient({ clientId: "b/other" }, { description: "", expires });
  const changed = text
    .replace("3.10", "CI")
    .replace(", assume:tools-a", "")
    .replace("disabled: true", "disabled: false")
    .replace(/a\/ci:[^]*?\n {2}a\/off/, "a/off");
  expect(await applied(changed)).toBe(`~ client a/off
    disabled: true → false
- client a/ci
    description: "3.10"
    expires: "${expires}"
    scopes:
      - assume:repo:a/x
      - queue:create-task:highest:*
~ role repo:a/*
    scopes:
      - assume:tools-a

0 to create, 2 to change, 1 to delete
changed the client a/off
deleted the client a/ci
changed the role repo:a/*
`);
  expect(await stack.client.auth.client({ clientId: "a/off" })).toMatchObject({ disabled: false });
  expect(await stack.client.auth.client({ clientId: "b/other" })).toMatchObject({ clientId: "b/other" });
});

describe("before changes", () => {
  const text = `roles: { asked: { description: "", scopes: [] } }`;
  const exists = async () => (await stack.client.auth.listRoleIds()).roleIds.includes("asked");

  test("a person is asked, and nothing happens without a yes", async () => {
    await write(text);
    for (const stdin of ["", "n\n", "\n"]) {
      const { status, err } = await apply("", { terminal: true, stdin });
      expect({ status, err }).toEqual({
        status: 1,
        err: expect.stringContaining("Make these changes? [y/N]"),
      });
      expect(err).toContain("nothing was changed");
    }
    expect(await exists()).toBe(false);
    expect(await apply("", { terminal: true, stdin: "y\n" })).toMatchObject({ status: 0 });
    expect(await exists()).toBe(true);
    await stack.client.auth.deleteRole({ roleId: "asked" });
  });

  test("a program has to pass --yes", async () => {
    await write(text);
    const { status, err } = await apply("");
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringContaining(
        "1 to create, 0 to change, 0 to delete: pass --yes to make these changes, or --dry-run to only see them",
      ),
    });
  });

  test("--dry-run shows them in color on a terminal, and as JSON", async () => {
    await write(text);
    const shown = await apply("--dry-run", { terminal: true });
    expect(shown.out).toContain("\u001b[32m+ role asked\u001b[39m");
    const { out } = await apply("--dry-run --json");
    expect(JSON.parse(out)).toEqual({
      changes: [
        {
          kind: "roles",
          id: "asked",
          action: "create",
          differences: [
            { member: "description", after: "" },
            { member: "scopes", after: [] },
          ],
        },
      ],
      made: 0,
      tokens: [],
    });
    expect(await exists()).toBe(false);
  });
});

test("tokens go into a file that only its owner can read, or into the JSON", async () => {
  const client = (id: string) => `clients: { ${id}: { description: "", expires: "${expires}" } }`;
  await write(client("t/1"));
  const { out } = await apply("--yes --tokens-file tokens");
  expect(out).toContain("the access tokens of the new clients are in tokens");
  const { mode } = await stat(join(folder, "tokens"));
  expect(mode & 0o777).toBe(0o600);
  const { clientId, accessToken } = JSON.parse(await readFile(join(folder, "tokens"), "utf8"));
  expect(clientId).toBe("t/1");
  expect(out).not.toContain(accessToken);
  await stack.as({ clientId, accessToken }).auth.currentScopes();

  await write(client("t/2"));
  expect((await apply("--yes --tokens-file tokens")).err).toContain("choose a file that does not exist yet");
  const json = JSON.parse((await apply("--yes --json")).out);
  expect(json).toMatchObject({ made: 1, tokens: [{ clientId: "t/2" }] });
});

test("a folder that lost most of its definitions is refused, unless it is meant", async () => {
  const text = (n: number) =>
    `managed: { roles: [many-*] }\nroles:${n === 0 ? " {}" : ""}\n${Array.from({ length: n }, (_, i) => `  many-${i}: { description: "", scopes: [] }\n`).join("")}`;
  await applied(text(6));
  await write(text(2));
  const { status, err } = await apply();
  expect({ status, err }).toEqual({
    status: 1,
    err: expect.stringContaining("this would delete 4 of the 6 roles that the folder owns"),
  });
  expect(await applied(text(3))).toContain("3 to delete");
  expect(await applied(text(0))).toContain("3 to delete");
  await applied(text(6));
  expect(await applied(text(0), "--yes --allow-many-deletions")).toContain("6 to delete");
});

test("roles swap their grants without a cycle in between, and those with a cycle are refused with their line", async () => {
  const role = (id: string, ...scopes: string[]) =>
    `  cyc-${id}: { description: "", scopes: [${scopes.join(", ")}] }\n`;
  const file = (...roles: string[]) => `managed: { roles: [cyc-*] }\nroles:\n${roles.join("")}`;
  await applied(
    file(role("a", "assume:cyc-b"), role("b", "assume:cyc-c"), role("c"), role("d", "assume:cyc-a")),
  );
  // c comes before the roles that have to lose their grants first, of which one is deleted.
  const next = file(role("c", "assume:cyc-b", "assume:cyc-d"), role("b", "assume:cyc-a"), role("a"));
  expect(await applied(next)).toContain("0 to create, 3 to change, 1 to delete");
  expect(await applied(next)).toBe(nothing);
  await write(file(role("c", "assume:cyc-b"), role("b", "assume:cyc-a"), role("a", "assume:cyc-c")));
  expect((await apply()).err).toContain(
    "d/all.yml:3:29: cyc-c: roles must not grant each other in a cycle: assume:cyc-c -> assume:cyc-b -> assume:cyc-a -> assume:cyc-c; remove one of these scopes",
  );
});

test("pools are created, changed, deleted and restored, and a second run has nothing to do", async () => {
  const { workerManager } = stack.client;
  const text = `
managed: { pools: [pools/*] }
pools:
  pools/linux:
    providerId: self
    description: 3.10
    owner: ci@example.com
    config:
      maxCapacity: 5
      launchConfigs:
        - workerConfig: { size: big }
          workerManager: { maxCapacity: 2 }
        - workerConfig: { size: small }
`;
  expect(await applied(text)).toBe(`+ pool pools/linux
    providerId: "self"
    description: "3.10"
    owner: "ci@example.com"
    config.maxCapacity: 5
    config.launchConfigs.0.workerConfig.size: "big"
    config.launchConfigs.0.workerManager.maxCapacity: 2
    config.launchConfigs.1.workerConfig.size: "small"

1 to create, 0 to change, 0 to delete
created the pool pools/linux
`);
  expect(await applied(text)).toBe(nothing);
  const launchConfigs = async () =>
    (
      await workerManager.listWorkerPoolLaunchConfigs({ workerPoolId: "pools/linux" })
    ).workerPoolLaunchConfigs.map(({ launchConfigId }) => launchConfigId);
  const before = await launchConfigs();
  const changed = text.replace("maxCapacity: 2", "maxCapacity: 3");
  expect(await applied(changed)).toContain(`~ pool pools/linux
    config.launchConfigs.0.workerManager.maxCapacity: 2 → 3
`);
  expect(await launchConfigs()).toEqual(before);
  expect(await applied(changed)).toBe(nothing);

  // Its workers keep a deleted pool. It is not deleted again, and can be restored.
  const worker = { workerPoolId: "pools/linux", workerGroup: "g", workerId: "w" };
  const poolSecret = "a".repeat(44);
  await workerManager.setWorkerPoolSecrets({ workerPoolId: "pools/linux" }, { secrets: [poolSecret] });
  await stack
    .as(undefined)
    .workerManager.registerWorker({ ...worker, providerId: "self", workerIdentityProof: { poolSecret } });
  const none = "managed: { pools: [pools/*] }\npools: {}";
  expect(await applied(none)).toContain("deleted the pool pools/linux\n");
  expect(await workerManager.shouldWorkerTerminate(worker)).toMatchObject({ terminate: true });
  expect(await applied(none)).toBe(nothing);
  expect(await applied(changed)).toContain("created the pool pools/linux\n");
  expect(await workerManager.workerPool({ workerPoolId: "pools/linux" })).toMatchObject({
    providerId: "self",
  });
  expect(await applied(changed)).toBe(nothing);
  await write("pools: {}");
  expect((await cli("export --kind pools d2")).out).toBe("d2/pools.yml: 1 pool\n");
  expect(await readFile(join(folder, "d2/pools.yml"), "utf8")).not.toContain("lc-");
  expect((await cli("apply --yes d2")).out).toBe(nothing);
});

test("missing scopes are all listed before anything is changed", async () => {
  const { accessToken } = await stack.client.auth.createClient(
    { clientId: "limited" },
    { description: "", expires, scopes: ["auth:create-role:mine-*", "x:*"] },
  );
  const env = { TASKCLUSTER_CLIENT_ID: "limited", TASKCLUSTER_ACCESS_TOKEN: accessToken };
  await write(`
roles:
  mine-1: { description: "", scopes: ["x:1"] }
  mine-2: { description: "", scopes: ["x:1", "y:1"] }
clients:
  c: { description: "", expires: ${expires} }
pools:
  p/static: { providerId: static, description: "", owner: a@example.com, config: {} }`);
  const { status, err } = await apply("--yes", { env });
  expect({ status, err }).toEqual({
    status: 1,
    err: expect.stringContaining(
      "the credentials lack 4 scopes. Nothing was changed. Use credentials that also have:\n" +
        "  to create the role mine-2: y:1\n  to create the client c: auth:create-client:c\n" +
        "  to create the pool p/static: worker-manager:manage-worker-pool:p/static\n" +
        "  to create the pool p/static: worker-manager:provider:static\n",
    ),
  });
  await write(`managed: { clients: [limited] }\nroles: {}`);
  expect((await apply("--yes", { env })).err).toContain(
    "this would delete the client limited, whose credentials this command uses",
  );
});

test("problems of all files are reported with file and line", async () => {
  await write(
    `clients:
  static/x: { description: "", expires: ${expires} }
  a b: { description: "", expires: ${expires} }
  ok:
    descripton: x
    expires: tomorrow
    scopes: [a**, 1e3]
managed:
  client: [a]
  roles: [a*b, ""]
`,
    "d/1.yml",
  );
  await write(
    `roles:
  r*: { description: "", scopes: [a<..>b<..>, "c*<..>", 7, "7"] }
  s: { description: "", scopes: ["c*<..>"] }
role: {}
`,
    "d/sub/2.yaml",
  );
  await write(`roles: {s: {description: "", scopes: []}}`, "d/sub/3.yml");
  await write(`roles: [`, "d/sub/4.yml");
  await write(
    `pools:
  P: {}
  p/a: { providerId: null-provider, description: "", owner: a@b.org, config: {} }
  p/b: { providerId: static, description: "", owner: me, config: { lifecycle: {}, maxCapacity: 1 } }
  p/c: { providerId: self, description: "", owner: a@b.org, config: { maxCapacity: -1 }, secrets: [] }
`,
    "d/sub/5.yml",
  );
  await write(`not: read`, "d/.hidden/6.yml");
  const { status, err } = await apply();
  expect(status).toBe(1);
  expect(
    err
      .replace(/^error: /, "")
      .trimEnd()
      .split("\n"),
  ).toEqual([
    "d/1.yml:2:3: static/x: such a client belongs to the configuration of the server; change it there",
    'd/1.yml:3:3: "a b": the id of a client must be letters, digits and !@/:.+|_-',
    "d/1.yml:4:3: ok: description is missing",
    "d/1.yml:5:5: ok: descripton is not a known member; did you mean description?",
    "d/1.yml:6:5: ok: expires must be a time such as 2030-01-31T00:00:00.000Z",
    "d/1.yml:7:14: ok: scopes must not end with `**`, as 'a**' does. A single star at the end stands for any text.",
    "d/1.yml:9:3: client is not a known member here; did you mean clients?",
    "d/1.yml:10:11: a*b: a pattern has one star, at its end",
    'd/1.yml:10:16: a pattern must not be empty; to own everything, write "*"',
    "d/sub/2.yaml:4:1: role is not a known member here; did you mean roles?",
    "d/sub/2.yaml:2:26: r*: elements 3 and 4 of scopes are the same; remove one",
    "d/sub/2.yaml:2:35: r*: parameterized scope 'a<..>b<..>' contains multiple '<..>'. Use one: it stands for all that the star of 'r*' matches.",
    "d/sub/2.yaml:2:47: r*: parameterized scope 'c*<..>' ends with '*<..>', which would be a wildcard if the parameter is empty. Remove the star.",
    "d/sub/3.yml:1:9: the role s is defined at d/sub/2.yaml:3:3 already; remove one",
    "d/sub/4.yml:1:9: Flow sequence in block collection must be sufficiently indented and end with a ]",
    'd/sub/5.yml:2:3: "P": the id of a pool must be two names with a slash between them, such as ci/linux, the second in lower case',
    "d/sub/5.yml:3:10: p/a: providerId must not be null-provider, which deleted pools have; remove the pool from the file instead",
    "d/sub/5.yml:4:47: p/b: owner must be an e-mail address such as ci@example.com",
    "d/sub/5.yml:4:83: p/b: config: maxCapacity is not a known member",
    "d/sub/5.yml:5:90: p/c: secrets is not a known member",
    "d/sub/5.yml:5:71: p/c: config: maxCapacity must be >= 0",
  ]);
});

test("an export of the server, with odd ids, is applied without changes, and does not change itself", async () => {
  for (const roleId of ["<<", "{a: b}", " # 'x\\\"*", "1e3", "__proto__"])
    await stack.client.auth.createRole(
      { roleId },
      { description: ` ${roleId}\n\r\t`, scopes: [roleId, "- ~", ""] },
    );
  expect(await cli("export d")).toMatchObject({ status: 0 });
  const first = await readFile(join(folder, "d/clients.yml"), "utf8");
  expect(first).not.toContain("static/");
  expect((await apply()).out).toBe(nothing);
  await cli("export d");
  expect(await readFile(join(folder, "d/clients.yml"), "utf8")).toBe(first);
  await writeFile(join(folder, "d/clients.yml"), "clients: {}\n");
  expect((await cli("export d")).err).toContain(
    "d/clients.yml was not written by taskyard export: move it, or name another folder",
  );
});
