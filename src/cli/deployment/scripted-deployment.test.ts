// `taskyard export` and `taskyard apply` with replies in the shape of the compatible system.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli } from "../../../test/support/captured-io.ts";
import { json, scriptedServer } from "../../../test/support/scripted-server.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";

const times = { created: "2020-01-01T00:00:00.000Z", lastModified: "2020-01-01T00:00:00.000Z" };
const role = (roleId: string, scopes: string[] = []) => ({
  roleId,
  scopes,
  description: "",
  ...times,
  expandedScopes: [`assume:${roleId}`, ...scopes],
});
const client = (clientId: string) => ({
  clientId,
  scopes: ["b:*", "a"],
  description: "",
  expires: "3000-01-01T00:00:00.000Z",
  ...times,
  lastDateUsed: times.created,
  lastRotated: times.created,
  expandedScopes: [],
  disabled: true,
  deleteOnExpiration: false,
});

test("an export follows the pages of any deployment without credentials of another, and is ordered", async () => {
  const server = await scriptedServer(
    json({ roles: [role("b", ["z", "y", "z"])], continuationToken: "t1" }),
    json({ roles: [role("a:*")] }),
    json({ clients: [client("static/taskcluster/root"), client("x/1")] }),
  );
  const folder = await temporaryFolder();
  const env = {
    TASKCLUSTER_ROOT_URL: "https://other.example.com",
    TASKCLUSTER_CLIENT_ID: "me",
    TASKCLUSTER_ACCESS_TOKEN: "token",
  };
  const result = await runCli(["export", "--from", server.rootUrl, "d"], { cwd: folder, env });
  expect(result).toEqual({ status: 0, out: "d/roles.yml: 2 roles\nd/clients.yml: 1 client\n", err: "" });
  expect(server.requests.map(({ url }) => url)).toEqual([
    "/api/auth/v1/roles2/?limit=1000",
    "/api/auth/v1/roles2/?continuationToken=t1&limit=1000",
    "/api/auth/v1/clients/?limit=1000",
  ]);
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(await readFile(join(folder, "d/roles.yml"), "utf8")).toBe(`\
# Written by taskyard export, which replaces this file.
roles:
  a:*:
    description: ""
    scopes: []
  b:
    description: ""
    scopes:
      - y
      - z
`);
  expect(await readFile(join(folder, "d/clients.yml"), "utf8")).toContain(`
  x/1:
    description: ""
    expires: 3000-01-01T00:00:00.000Z
    scopes:
      - a
      - b:*
    disabled: true
`);
  const again = await scriptedServer(
    json({ alive: true }),
    json({ roles: [role("b", ["y", "z"]), role("a:*")] }),
    json({ clients: [client("x/1"), client("x/2")] }),
  );
  const applied = await runCli(["apply", "d"], {
    cwd: folder,
    env: { TASKCLUSTER_ROOT_URL: again.rootUrl },
  });
  expect(applied).toMatchObject({ status: 0, out: expect.stringContaining("nothing to do") });
});

test("a list that the deployment refuses is named, with what to do, and nothing is written", async () => {
  const refusal = { code: "InsufficientScopes", message: "needs auth:list-clients", requestInfo: {} };
  const server = await scriptedServer(json({ roles: [] }), json(refusal, 403));
  const folder = await temporaryFolder();
  const { status, err } = await runCli(["export", "--from", server.rootUrl, "d"], { cwd: folder });
  expect({ status, err }).toEqual({
    status: 1,
    err: expect.stringContaining("does not return its clients: needs auth:list-clients\n"),
  });
  await expect(readFile(join(folder, "d/roles.yml"))).rejects.toThrow("ENOENT");
  const unknown = await runCli(["export", "--kind", "role"], { cwd: folder });
  expect(unknown.err).toContain("--kind role is unknown: use one of roles, clients");
});

test("a change that fails leaves the others for the next run, and says what was done", async () => {
  const folder = await temporaryFolder();
  const source = await scriptedServer(
    json({ roles: ["a", "b", "c"].map((id) => role(id)) }),
    json({ clients: [] }),
  );
  await runCli(["export", "--from", source.rootUrl, "d"], { cwd: folder });
  const failed = await scriptedServer(
    json({ alive: true }),
    json({ roles: [] }),
    json({ scopes: ["*"] }),
    json(role("a")),
    json({ code: "InputError", message: "no more roles", requestInfo: {} }, 400),
  );
  const run = (rootUrl: string) =>
    runCli(["apply", "--yes", "d"], { cwd: folder, env: { TASKCLUSTER_ROOT_URL: rootUrl } });
  const first = await run(failed.rootUrl);
  expect(first).toMatchObject({
    status: 1,
    out: expect.stringContaining("created the role a\n"),
    err: expect.stringContaining(
      "error: could not create the role b: no more roles\n1 of 3 changes were made. Run the command again to make the others.\n",
    ),
  });
  const next = await scriptedServer(
    json({ alive: true }),
    json({ roles: [role("a")] }),
    json({ code: "InsufficientScopes", message: "currentScopes is refused", requestInfo: {} }, 403),
    json(role("b")),
  );
  expect((await run(next.rootUrl)).out).toContain("created the role b\ncreated the role c\n");
});
