// The commands for the index, with a real server.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../../test/support/captured-io.ts";
import { createTask } from "../../../test/support/factories.ts";
import { runningTask } from "../../../test/support/running-task.ts";
import { json, scriptedServer, type Reply } from "../../../test/support/scripted-server.ts";
import { sharedStack, type Stack } from "../../../test/support/stack.ts";
import { makeTemporaryFolder } from "../../../test/support/temporary-folder.ts";
import { slugid } from "../../lib/slugid.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});

const root = `cli-${slugid()}`;
const cli = (line: string, cwd?: string) =>
  runCli(line.split(" "), { env: stack.env, ...(cwd !== undefined && { cwd }) });
const table = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((row) => row.split(/ {2,}/));
const time = expect.stringMatching(/^\d{4}-\d\d-\d\d/);

test("index insert writes an entry that index find shows, unless one of a higher rank exists", async () => {
  const path = `${root}.find.a`;
  const [first, second] = [await createTask(stack.client), await createTask(stack.client)];
  expect(await cli(`index insert ${path} ${first} --rank 2 --data {"a":1}`)).toEqual({
    status: 0,
    out: `${path} is ${first}\n`,
    err: "",
  });
  expect((await cli(`index insert ${path} ${second} --rank 1.5`)).out).toBe(
    `${path} stays ${first}, whose rank 2 is higher than 1.5\n`,
  );
  const { expires } = await stack.client.queue.task({ taskId: first });
  expect(JSON.parse((await cli(`index find ${path} --json`)).out)).toEqual({
    namespace: path,
    taskId: first,
    rank: 2,
    data: { a: 1 },
    expires,
  });
  expect(table((await cli(`index find ${path}`)).out)).toEqual([
    ["TASK", "RANK", "EXPIRES", "PATH"],
    [first, "2", time, path],
  ]);
  const json = JSON.parse((await cli(`index insert ${path} ${second} --rank 3 --expires 30days --json`)).out);
  expect(json).toMatchObject({ taskId: second, rank: 3 });
});

test("index find lists several paths, and fails for one that is missing", async () => {
  const taskId = await createTask(stack.client);
  for (const name of ["b", "a"]) await cli(`index insert ${root}.several.${name} ${taskId}`);
  const paths = ["a", "missing", "b"].map((name) => `${root}.several.${name}`);
  const { out } = await cli(`index find ${paths.join(" ")}`);
  expect(table(out).map((row) => row.at(-1))).toEqual(["PATH", paths[0], paths[2]]);
  expect(JSON.parse((await cli(`index find ${paths.join(" ")} --json`)).out)).toMatchObject({
    tasks: [{ namespace: paths[0] }, { namespace: paths[2] }],
  });
  const missing = await cli(`index find ${paths[1]}`);
  expect([missing.status, missing.err]).toEqual([1, expect.stringContaining("No task is indexed at")]);
});

test("index list shows namespaces and tasks, and whether there are more", async () => {
  const taskId = await createTask(stack.client);
  for (const path of ["x", "y", "n.deep", "m.deep"]) await cli(`index insert ${root}.list.${path} ${taskId}`);
  const all = [`${root}.list.m.`, `${root}.list.n.`, `${root}.list.x`, `${root}.list.y`];
  const pathsOf = (out: string) =>
    table(out)
      .slice(1)
      .map((row) => row.at(-1));
  for (let limit = 1; limit <= 5; limit++) {
    const { out, err } = await cli(`index list ${root}.list --limit ${limit}`);
    expect(pathsOf(out)).toEqual(all.slice(0, limit));
    expect(err).toBe(limit < 4 ? "… and possibly more: use --limit or --all\n" : "");
  }
  expect(pathsOf((await cli(`index list ${root}.list. --all`)).out)).toEqual(all);
  expect(JSON.parse((await cli(`index list ${root}.list --json`)).out)).toMatchObject({
    namespaces: [{ name: "m" }, { name: "n" }],
    tasks: [{ taskId }, { taskId }],
  });
  expect((await cli("index list --all")).out).toContain(`${root}.\n`);
  expect((await cli(`index list ${root}.none`)).err).toBe(`nothing is in ${root}.none\n`);
});

test("index delete removes an entry, also if there is none", async () => {
  const path = `${root}.deleted`;
  await cli(`index insert ${path} ${await createTask(stack.client)}`);
  for (let n = 0; n < 2; n++)
    expect(await cli(`index delete ${path}`)).toEqual({
      status: 0,
      out: `nothing is at ${path} now\n`,
      err: "",
    });
  expect((await cli(`index find ${path}`)).status).toBe(1);
});

test.each(["public", "private"])(
  "index artifact downloads a %s artifact, or prints its URL",
  async (kind) => {
    const task = await runningTask(stack);
    const name = `${kind}/x.txt`;
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    const created = await task.worker.queue.createArtifact(
      { ...task.run, name },
      { storageType: "s3", contentType: "text/plain", expires },
    );
    if (created.storageType !== "s3") throw new Error("another storage type");
    await fetch(created.putUrl, {
      method: "PUT",
      body: "content",
      headers: { "content-type": "text/plain" },
    });
    const path = `${root}.artifact.${kind}`;
    await cli(`index insert ${path} ${task.taskId}`);
    expect((await cli(`index artifact ${path} ${name} -`)).out).toBe("content");
    const url = (await cli(`index artifact ${path} ${name} --url`)).out.trim();
    expect(await (await fetch(url)).text()).toBe("content");
    const folder = await makeTemporaryFolder();
    expect((await cli(`index artifact ${path} ${name}`, folder)).status).toBe(0);
    expect(await readFile(join(folder, "x.txt"), "utf8")).toBe("content");
    expect((await cli(`index artifact ${path} ${name}`, folder)).err).toContain("use --force to replace it");
  },
);

describe("index artifact", () => {
  const located: Reply = (response, request) =>
    json({ url: `http://${request.headers.host}/content` }, 303)(response, request);
  const artifact = async (...replies: readonly [...Reply[], Reply]) => {
    const { rootUrl } = await scriptedServer(json({ alive: true }), ...replies);
    return runCli(["index", "artifact", "a.b", "data", "-"], { env: { TASKCLUSTER_ROOT_URL: rootUrl } });
  };

  test("resumes a connection that breaks", async () => {
    const broken: Reply = (response) => {
      response.writeHead(200, { "content-length": 10 });
      response.write("0123", () => response.destroy());
    };
    const whole: Reply = (response) => response.end("0123456789");
    expect(await artifact(located, broken, located, whole)).toEqual({
      status: 0,
      out: "0123456789",
      err: "",
    });
  });

  test.each([
    [
      "a refusal of the store",
      ((response) => response.writeHead(404).end("gone")) satisfies Reply,
      "the artifact store returned 404: gone. Try again later, or rerun the task if the content is lost.",
    ],
    [
      "a task that could not upload it",
      json({ reason: "file-missing-on-worker", message: "no such file" }, 424),
      "data has no content: file-missing-on-worker: no such file. See the log of the task, or rerun it.",
    ],
  ])("reports %s", async (_, reply, message) => {
    const replies: readonly [...Reply[], Reply] = message.includes("store") ? [located, reply] : [reply];
    const { status, err } = await artifact(...replies);
    expect([status, err]).toEqual([1, expect.stringContaining(message)]);
  });
});

test.each([
  ["index find a..b", "a..b is not an index path"],
  ["index insert a.b x", "x is not a task id"],
  ["index insert a.b fN1SbArXTPSVFNUvaOlinQ --rank high", "--rank high: must be a number"],
  ["index insert a.b fN1SbArXTPSVFNUvaOlinQ --data []", "--data []: must be a JSON object"],
  ["index insert a.b fN1SbArXTPSVFNUvaOlinQ --expires soon", "--expires soon: must be a duration"],
  ["index list a --all --limit 3", "--all and --limit: use one of them"],
])("%s is refused before a request is made", async (line, message) => {
  const { status, err } = await runCli(line.split(" "), {});
  expect([status, err]).toEqual([2, expect.stringContaining(message)]);
});
