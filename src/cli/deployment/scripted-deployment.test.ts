// `taskyard export` and `taskyard apply` with replies in the shape of the compatible system.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noWorkers } from "../../../test/support/no-workers.ts";
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

/** A pool in the shape of the compatible system, which adds ids of launch configs and defaults. */
const pool = (workerPoolId: string, changes: object = {}) => ({
  workerPoolId,
  providerId: "google-cloud",
  description: "",
  owner: "ci@example.com",
  emailOnError: false,
  ...times,
  config: {
    minCapacity: 0,
    maxCapacity: 5,
    scalingRatio: 1,
    lifecycle: { registrationTimeout: 1800, reregistrationTimeout: 345_600, queueInactivityTimeout: 7200 },
    launchConfigs: [
      {
        region: "us-east1",
        zone: "us-east1-b",
        machineType: "n2",
        disks: [],
        networkInterfaces: [],
        scheduling: {},
        workerConfig: { genericWorker: { config: { wstServerURL: "" } } },
        workerManager: { launchConfigId: "lc-0123456789abcdef0123", maxCapacity: 5, initialWeight: 1 },
      },
      { region: "us-west1", workerManager: { launchConfigId: "west", capacityPerInstance: 2 } },
    ],
  },
  ...noWorkers,
  ...changes,
});
const deletedPool = pool("old/gone", { providerId: "null-provider" });

test("an export follows the pages of any deployment without credentials of another, and is ordered", async () => {
  const server = await scriptedServer(
    json({ roles: [role("b", ["z", "y", "z"])], continuationToken: "t1" }),
    json({ roles: [role("a:*")] }),
    json({ clients: [client("static/taskcluster/root"), client("x/1")] }),
    json({ workerPools: [pool("p/b"), deletedPool], continuationToken: "t2" }),
    json({ workerPools: [pool("p/a", { providerId: "static", config: {}, emailOnError: true })] }),
  );
  const folder = await temporaryFolder();
  const env = {
    TASKCLUSTER_ROOT_URL: "https://other.example.com",
    TASKCLUSTER_CLIENT_ID: "me",
    TASKCLUSTER_ACCESS_TOKEN: "token",
  };
  const result = await runCli(["export", "--from", server.rootUrl, "d"], { cwd: folder, env });
  expect(result).toEqual({
    status: 0,
    out: "d/roles.yml: 2 roles\nd/clients.yml: 1 client\nd/pools.yml: 2 pools\n",
    err: "",
  });
  expect(server.requests.map(({ url }) => url)).toEqual([
    "/api/auth/v1/roles2/?limit=1000",
    "/api/auth/v1/roles2/?continuationToken=t1&limit=1000",
    "/api/auth/v1/clients/?limit=1000",
    "/api/worker-manager/v1/worker-pools?limit=1000",
    "/api/worker-manager/v1/worker-pools?continuationToken=t2&limit=1000",
  ]);
  expect(server.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
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
  expect(await readFile(join(folder, "d/pools.yml"), "utf8")).toBe(`\
# Written by taskyard export, which replaces this file.
pools:
  p/a:
    providerId: static
    description: ""
    owner: ci@example.com
    emailOnError: true
    config: {}
  p/b:
    providerId: google-cloud
    description: ""
    owner: ci@example.com
    config:
      minCapacity: 0
      maxCapacity: 5
      scalingRatio: 1
      lifecycle:
        registrationTimeout: 1800
        reregistrationTimeout: 345600
        queueInactivityTimeout: 7200
      launchConfigs:
        - region: us-east1
          zone: us-east1-b
          machineType: n2
          disks: []
          networkInterfaces: []
          scheduling: {}
          workerConfig:
            genericWorker:
              config:
                wstServerURL: ""
          workerManager:
            maxCapacity: 5
            initialWeight: 1
        - region: us-west1
          workerManager:
            launchConfigId: west
            capacityPerInstance: 2
`);
  const again = await scriptedServer(
    json({ alive: true }),
    json({ roles: [role("b", ["y", "z"]), role("a:*")] }),
    json({ clients: [client("x/1"), client("x/2")] }),
    json({
      workerPools: [pool("p/a", { providerId: "static", config: {}, emailOnError: true }), pool("p/b")],
    }),
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
  expect(unknown.err).toContain("--kind role is unknown: use one of roles, clients, pools");
});

test("a change that fails leaves the others for the next run, and says what was done", async () => {
  const folder = await temporaryFolder();
  const source = await scriptedServer(
    json({ roles: ["a", "b", "c"].map((id) => role(id)) }),
    json({ clients: [] }),
  );
  await runCli(["export", "--kind", "roles", "--kind", "clients", "--from", source.rootUrl, "d"], {
    cwd: folder,
  });
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

/** Plans a folder with these pools. */
async function planned(pools: object, ...stored: object[]) {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "pools.yml"), JSON.stringify({ managed: { pools: ["*"] }, pools }));
  const server = await scriptedServer(
    json({ alive: true }),
    json({ workerPools: stored }),
    json({ scopes: ["*"] }),
  );
  return runCli(["apply", "--dry-run", "."], {
    cwd: folder,
    env: { TASKCLUSTER_ROOT_URL: server.rootUrl },
  });
}
const { providerId, description, owner, config } = pool("p/b");
const written = { providerId, description, owner };

test("what the deployment adds to a pool is no difference, and a change of its limits keeps the launch config", async () => {
  const [first, second] = config.launchConfigs;
  const own = { ...first, workerManager: { maxCapacity: 5, initialWeight: 1 } };
  const file = { ...config, lifecycle: { registrationTimeout: 1800 }, launchConfigs: [own, second] };
  const same = await planned({ "p/b": { ...written, config: file } }, pool("p/b"), deletedPool);
  expect(same.out).toBe("nothing to do: the server has what the folder describes\n");

  const smaller = { ...own, workerManager: { maxCapacity: 4, initialWeight: 1 } };
  const limited = await planned(
    { "p/b": { ...written, config: { ...file, launchConfigs: [smaller, second] } } },
    pool("p/b"),
  );
  expect(limited.out).toBe(`~ pool p/b
    config.launchConfigs.0.workerManager.maxCapacity: 5 → 4

0 to create, 1 to change, 0 to delete
`);
  // One without an id is not that which has one in the file.
  const both = await planned(
    { "p/b": { ...written, config: { ...config, launchConfigs: [own, first, second] } } },
    pool("p/b"),
  );
  expect(both.out).toContain(
    '    config.launchConfigs.0.workerManager.launchConfigId: "lc-0123456789abcdef0123"\n',
  );
  // Equal ones have an id each.
  const twins = ["a", "b"].map((launchConfigId) => ({ ...first, workerManager: { launchConfigId } }));
  const { workerManager: __, ...twin } = own;
  const equal = await planned(
    { "p/b": { ...written, config: { ...config, launchConfigs: [twin, twin] } } },
    pool("p/b", { config: { ...config, launchConfigs: twins } }),
  );
  expect(equal.out).toBe(same.out);
});

test("a pool that the folder owns and does not describe is deleted, unless it is already", async () => {
  const { out } = await planned({}, pool("p/b", { config: {} }), deletedPool);
  expect(out).toBe(`- pool p/b
    providerId: "google-cloud"
    description: ""
    owner: "ci@example.com"
    config: {}

0 to create, 0 to change, 1 to delete
`);
});
