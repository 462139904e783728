// The commands for worker pools, with a real server.
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runCli } from "../../../test/support/captured-io.ts";
import { createTask } from "../../../test/support/factories.ts";
import { sharedStack, type Stack } from "../../../test/support/stack.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { newSecret, poolOf, selfPool } from "../../../test/support/worker-pool.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});
let cwd: string;
beforeEach(async () => {
  cwd = await temporaryFolder();
});

const cli = (words: string, stdin?: string) =>
  runCli(words.split(" "), { cwd, env: stack.env, ...(stdin !== undefined && { stdin }) });
const write = (name: string, text: string) => writeFile(join(cwd, name), text);
const read = (name: string) => readFile(join(cwd, name), "utf8");
/** Returns the cells of the rows that contain a text. */
const rowsWith = (out: string, text: string) =>
  out
    .split("\n")
    .filter((line) => line.includes(text))
    .map((line) => line.split(/ {2,}/));
const printed = (out: string) => ({ status: 0, out, err: "" });
const refused = (text: string, status = 1) => ({ status, err: expect.stringContaining(text) });
const localTime = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d$/);

/** Creates a pool of the provider `static`. */
const staticPool = (workerPoolId: string) =>
  stack.client.workerManager.createWorkerPool({ workerPoolId }, poolOf());

describe("a pool", () => {
  const file = `
providerId: self
description: "Builders\\e[2J"
owner: ci@example.com
config:
  maxCapacity: 20
  launchConfigs: [{ workerConfig: { a: 3.10 }, workerManager: { maxCapacity: 3 } }]
`;

  test("is created from a file, listed, shown, changed and deleted", async () => {
    await write("pool.yml", file);
    expect(await cli("pool create cmd/all pool.yml")).toEqual(
      printed("pool cmd/all created with the provider self\n"),
    );
    expect(rowsWith((await cli("pool list --all")).out, "cmd/all")).toEqual([
      ["cmd/all", "self", "0", "0 of 20", "Builders [2J"],
    ]);
    const shown = await cli("pool show cmd/all");
    expect(shown.out.replaceAll(/\d{4}-.*/g, "TIME").replace(/lc-\w{20}/, "lc-HASH")).toBe(`\
pool         cmd/all
provider     self
description  Builders [2J
owner        ci@example.com
created      TIME
modified     TIME
workers      none
capacity     0 of 20
config:
  maxCapacity: 20
  launchConfigs:
    - workerConfig:
        a: 3.1
      workerManager:
        launchConfigId: lc-HASH
        maxCapacity: 3
`);
    const json = (await cli("pool show --json cmd/all")).out;
    expect(JSON.parse(json)).toMatchObject({ workerPoolId: "cmd/all", emailOnError: false });
    expect(await cli("pool update cmd/all -", json.replace('"maxCapacity": 20', '"maxCapacity": 2'))).toEqual(
      printed("pool cmd/all updated\n"),
    );
    expect((await cli("pool show cmd/all")).out).toContain("capacity     0 of 2\n");
    expect(await cli("pool delete cmd/all")).toEqual(
      printed("pool cmd/all deleted; its workers will terminate\n"),
    );
    expect((await cli("pool show cmd/all")).out).toContain("provider     none: deleted\n");
  });

  test("that exists is not created again", async () => {
    await staticPool("cmd/twice");
    await write("pool.json", JSON.stringify(poolOf()));
    expect(await cli("pool create cmd/twice pool.json")).toMatchObject(
      refused("Worker pool cmd/twice already exists"),
    );
  });

  test("whose file has problems is not sent, and all problems are reported with their positions", async () => {
    await write(
      "bad.yml",
      `providerId: static
descripton: x
owner: nobody
workerPoolId: cmd/other
config:
  lifecycle: { reregistrationTimout: 1 }
`,
    );
    const { status, err } = await cli("pool update cmd/bad bad.yml");
    expect({ status, err }).toEqual({
      status: 1,
      err: `error: bad.yml:4:1: workerPoolId must be cmd/bad, as on the command line; correct one of them
bad.yml:1:1: cmd/bad: description is missing
bad.yml:2:1: cmd/bad: descripton is not a known member; did you mean description?
bad.yml:3:1: cmd/bad: owner must be an e-mail address such as ci@example.com
bad.yml:6:16: cmd/bad: config: lifecycle.reregistrationTimout is not a known member
`,
    });
    expect(await cli("pool create cmd/bad -", "[]")).toMatchObject(
      refused("-: must contain an object with members providerId, "),
    );
  });

  test.each([
    ["pool show cmd", "cmd: must be a worker pool such as ci/linux"],
    [
      "pool worker show cmd/x mac",
      "mac: must be a worker as GROUP/ID, such as local/host-1; `taskyard pool worker list POOL`",
    ],
    [
      "pool worker list cmd/x --state runing",
      "--state runing: must be one of requested, running, stopping, stopped",
    ],
    ["pool worker list cmd/x --state running --group g", "--group excludes --state and --launch-config"],
    ["pool worker update cmd/x g/w", "nothing to change: use --expires, --capacity or --secret-file"],
    ["pool worker create cmd/x g/w f --capacity 0", "--capacity 0: must be a whole number, at least 1"],
    ["pool secret rotate cmd/x - -", "OLD_FILE and NEW_FILE are both -"],
    ["pool secret set cmd/x - --new", "--new writes the secret into a file: name one instead of -"],
  ])("`taskyard %s` is refused", async (words, text) => {
    expect(await cli(words)).toMatchObject(refused(text, 2));
  });
});

test("providers are listed", async () => {
  const { out } = await cli("pool providers");
  expect(rowsWith(out, "s")).toEqual([
    ["self", "self"],
    ["static", "static"],
  ]);
  expect(JSON.parse((await cli("pool providers --json")).out).providers).toHaveLength(3);
});

describe("secrets of a pool", () => {
  const lines = (file: string) => read(file).then((text) => text.split("\n"));

  test("are made, rotated and removed without being printed", async () => {
    const { register, secret: first } = await selfPool(stack, "cmd/secrets");
    const printedAll: string[] = [];
    const run = async (words: string, stdin?: string) => {
      const { status, out, err } = await cli(`pool secret ${words}`, stdin);
      printedAll.push(out, err);
      return { status, out, err };
    };
    expect(await run("set cmd/secrets one --new")).toEqual(
      printed("cmd/secrets has one secret, that in one\n"),
    );
    expect((await stat(join(cwd, "one"))).mode & 0o777).toBe(0o600);
    const [one = "", end] = await lines("one");
    expect({ length: one.length, end }).toEqual({ length: 44, end: "" });
    await register("w", one);
    await expect(register("w", first)).rejects.toThrow("bad poolSecret");

    expect(await run("rotate cmd/secrets one two --new")).toEqual({
      status: 0,
      out: "cmd/secrets has two secrets, those in one and two\n",
      err: "Give two to all workers, then run: taskyard pool secret set cmd/secrets two\n",
    });
    const [two = ""] = await lines("two");
    await register("w", one);
    await register("w", two);

    expect(await run("set cmd/secrets - --json", `\n ${two}\n`)).toMatchObject({
      status: 0,
      out: `{\n  "workerPoolId": "cmd/secrets"\n}\n`,
    });
    await register("w", two);
    await expect(register("w", one)).rejects.toThrow("bad poolSecret");

    expect(await run("remove cmd/secrets")).toEqual(
      printed("cmd/secrets has no secret: no worker can register\n"),
    );
    await expect(register("w", two)).rejects.toThrow("bad poolSecret");
    for (const secret of [one, two]) expect(printedAll.join("")).not.toContain(secret);
  });

  test("are not overwritten in files, and a file is removed if the secret could not be set", async () => {
    await write("kept", "x");
    expect(await cli("pool secret set cmd/none kept --new")).toMatchObject(
      refused("kept exists already; choose a file that does not exist yet"),
    );
    expect(await read("kept")).toBe("x");
    expect(await cli("pool secret set cmd/none fresh --new")).toMatchObject(
      refused("Worker pool cmd/none does not exist"),
    );
    await expect(read("fresh")).rejects.toThrow("ENOENT");
  });

  test("that are none are refused without being printed", async () => {
    const twoLines = `${newSecret()}\n${newSecret()}\n`;
    for (const text of ["", "Tr0ub4dor", twoLines]) {
      const { status, out, err } = await cli("pool secret set cmd/none -", text);
      expect({ status, out, err }).toEqual({
        status: 1,
        out: "",
        err: "error: standard input must contain one secret: 44 letters, digits, - and _ in one line. With --new, the command makes one.\n",
      });
    }
    await write("same", newSecret());
    expect(await cli("pool secret rotate cmd/none same same")).toMatchObject(
      refused("same and same have the same secret: use another new one", 2),
    );
  });
});

describe("workers of a pool", () => {
  test("of the provider static are created, shown, changed and removed", async () => {
    await staticPool("cmd/macs");
    const expiry = /; it expires at .*\n$/;
    const created = await cli("pool worker create cmd/macs office/mac-1 mac.secret --new --capacity 2");
    expect({ ...created, out: created.out.replace(expiry, "") }).toEqual(
      printed("worker office/mac-1 of cmd/macs created"),
    );
    const registering = (staticSecret: string) =>
      stack.as(undefined).workerManager.registerWorker({
        workerPoolId: "cmd/macs",
        providerId: "static",
        workerGroup: "office",
        workerId: "mac-1",
        workerIdentityProof: { staticSecret },
      });
    await registering((await read("mac.secret")).trim());
    const { out } = await cli("pool worker list cmd/macs --state running");
    expect(rowsWith(out, "office/mac-1")).toEqual([
      ["office/mac-1", "running", "2", localTime, localTime, "-"],
    ]);

    const other = newSecret();
    const before = await stack.client.workerManager.worker({
      workerPoolId: "cmd/macs",
      workerGroup: "office",
      workerId: "mac-1",
    });
    const updated = await cli("pool worker update cmd/macs office/mac-1 --secret-file - --json", other);
    expect(JSON.parse(updated.out)).toMatchObject({ capacity: 2, expires: before.expires });
    await registering(other);
    await cli("pool worker update cmd/macs office/mac-1 --expires 2030-01-31T12:00:00Z --capacity 3");
    const shown = (await cli("pool worker show cmd/macs office/mac-1 --json")).out;
    expect(JSON.parse(shown)).toMatchObject({ capacity: 3, expires: "2030-01-31T12:00:00.000Z" });

    expect(await cli("pool worker remove cmd/macs office/mac-1")).toEqual(
      printed("worker office/mac-1 of cmd/macs removed\n"),
    );
    expect(await cli("pool worker list cmd/macs --state running")).toEqual({
      status: 0,
      out: "",
      err: "cmd/macs has no such workers\n",
    });
    expect((await cli("pool worker list cmd/macs --group office")).out).toMatch(
      /\noffice\/mac-1 {2}stopped /,
    );
    expect((await cli("pool worker list cmd/macs --group home")).err).toBe("cmd/macs has no such workers\n");
  });

  test("are shown with their latest tasks and whether they should terminate", async () => {
    const { register, pool } = await selfPool(stack, "cmd/shown", {
      launchConfigs: [{ workerManager: { launchConfigId: "big" } }],
    });
    await register("w");
    const facts = async () =>
      Object.fromEntries(
        (await cli("pool worker show cmd/shown g/w")).out
          .trimEnd()
          .split("\n")
          .map((line) => line.split(/ {2,}/)),
      );
    expect(await facts()).toEqual({
      worker: "g/w",
      pool: "cmd/shown",
      state: "running",
      provider: "self",
      capacity: "1",
      "launch config": "big",
      created: localTime,
      expires: localTime,
      "last active": "never",
      terminates: "no",
    });
    const worker = { workerGroup: "g", workerId: "w" };
    const taskId = await createTask(stack.client, { taskQueueId: "cmd/shown" });
    await stack.client.queue.claimWork({ taskQueueId: "cmd/shown" }, { ...worker, tasks: 1 });
    await stack.client.queue.quarantineWorker(
      { provisionerId: "cmd", workerType: "shown", ...worker },
      { quarantineUntil: "2100-01-01T00:00:00.000Z" },
    );
    expect(await facts()).toMatchObject({
      "last active": expect.stringMatching(/ ago$/),
      "latest tasks": `${taskId} run 0`,
      quarantine: expect.stringMatching(/^until 2/),
      terminates: expect.stringMatching(/^yes: .*quarantine/),
    });
    const configs = await cli("pool launch-configs cmd/shown");
    expect(rowsWith(configs.out, "big")).toEqual([["big", "active", "1", "1", localTime]]);
    await stack.client.workerManager.updateWorkerPool(
      { workerPoolId: "cmd/shown" },
      { ...pool, config: { maxCapacity: 1 } },
    );
    expect((await cli("pool launch-configs cmd/shown")).err).toBe("cmd/shown has no launch configs\n");
    const archived = JSON.parse((await cli("pool launch-configs cmd/shown --archived --json")).out);
    expect(archived).toMatchObject({
      workerPoolLaunchConfigs: [{ launchConfigId: "big", isArchived: true }],
      launchConfigStats: [{ launchConfigId: "big", runningCount: 1 }],
    });
  });
});

// Objects list members with the names of numbers first.
test("errors of workers are listed, the newest first, and counted, the most frequent first", async () => {
  const { register } = await selfPool(stack, "cmd/errors");
  await register("w");
  expect(await cli("pool errors cmd/errors")).toEqual({
    status: 0,
    out: "",
    err: "the workers of cmd/errors have reported no errors\n",
  });
  expect((await cli("pool error-stats cmd/errors")).out).toBe(
    "0 errors of cmd/errors in the last seven days\n",
  );
  for (const title of ["no disk", "404", "no disk"])
    await stack.client.workerManager.reportWorkerError(
      { workerPoolId: "cmd/errors" },
      { workerGroup: "g", workerId: "w", kind: "setup", title, description: "It is\ngone.", extra: {} },
    );
  const { out } = await cli("pool errors cmd/errors");
  expect(rowsWith(out, "setup")).toEqual(
    ["no disk", "404", "no disk"].map((title) => [localTime, "setup", "g/w", `${title}: It is gone.`]),
  );
  expect((await cli("pool errors cmd/errors --launch-config other")).out).toBe("");
  const today = new Date().toISOString().slice(0, 10);
  const stats = await cli("pool error-stats cmd/errors");
  expect(stats.out).toContain("3 errors of cmd/errors in the last seven days\n\nERRORS  DAY (UTC)\n0       ");
  expect(stats.out).toContain(`\n3       ${today}\n\nERRORS  HOUR\n3       `);
  expect(stats.out).toContain("\nERRORS  TITLE\n2       no disk\n1       404\n\n");
  expect(stats.out).toMatch(/\nERRORS {2}POOL\n3 {7}cmd\/errors\n$/);
  const json = JSON.parse((await cli("pool error-stats --json")).out);
  expect(json).toMatchObject({ workerPoolId: "", totals: { workerPool: { "cmd/errors": 3 } } });
});
