import { writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestTask } from "../../../../test/support/task-context.ts";
import type { TestTask } from "../../../../test/support/task-context.ts";
import { onlyAsRoot } from "../../../../test/support/only-if.ts";
import { taskUser, testEngine } from "../../../../test/support/test-engine.ts";
import type { ResultSet, Sandbox } from "../../engine.ts";

const path = { PATH: process.env["PATH"] ?? "" };
let task: TestTask;
beforeEach(async () => {
  task = await createTestTask();
});
afterEach(async () => {
  await task.end();
});

async function start(
  command: string[][],
  environment: NodeJS.ProcessEnv = path,
  env: Record<string, string> = {},
): Promise<Sandbox> {
  const builder = await testEngine({ environment }).newSandboxBuilder(task.context, { command });
  for (const [name, value] of Object.entries(env)) builder.setEnv(name, value);
  return await builder.start();
}
async function run(...args: Parameters<typeof start>): Promise<ResultSet> {
  return await (
    await start(...args)
  ).result;
}
const sh = (script: string): string[] => ["sh", "-c", script];
/** The log, with the times in the worker's lines replaced. */
const logText = async () =>
  (await task.logText()).replace(/\[taskcluster \S+\]/g, "[t]").replace(/ Time: .*/g, " Time: *");

describe("commands", () => {
  test("run in order and write one log", async () => {
    const { success, exits } = await run([sh("echo one"), sh("echo two; echo three >&2; echo four")]);
    expect([success, exits.map(({ code }) => code)]).toEqual([true, [0, 0]]);
    expect(await logText()).toBe(
      [
        "[t] Executing command 0: sh -c 'echo one'",
        "one",
        "[t]    Exit Code: 0",
        "[t]    User Time: *",
        "[t]  Kernel Time: *",
        "[t]    Wall Time: *",
        "[t]       Result: SUCCEEDED",
        "[t] Executing command 1: sh -c 'echo two; echo three >&2; echo four'",
        "two",
        "three",
        "four",
        "[t]    Exit Code: 0",
        "[t]    User Time: *",
        "[t]  Kernel Time: *",
        "[t]    Wall Time: *",
        "[t]       Result: SUCCEEDED",
        "",
      ].join("\n"),
    );
  });

  test("end with the first that fails", async () => {
    const { success, exits } = await run([sh("exit 3"), sh("echo never")]);
    expect([success, exits.map(({ code, outcome }) => [code, outcome])]).toEqual([false, [[3, "failed"]]]);
    expect(await logText()).not.toContain("never");
  });

  test.each([
    ["kill -SEGV $$", 139],
    ["kill -9 $$", 137],
    // Node has no name for this one, and reports it as exit code 0.
    ["kill -34 $$", 162],
    ["kill -34 $PPID; sleep 10", 77],
    ["exit 77", 77],
    ["exit 126", 126],
    ["exit 127", 127],
    ["trap '' TERM; kill 0; exit 5", 5],
    ["trap '' TERM; kill -- -$$; exit 6", 6],
  ])("that end otherwise than with exit code 0 have failed: %s", async (script, code) => {
    const { success, exits } = await run([["bash", "-c", script]]);
    expect([success, exits]).toMatchObject([false, [{ outcome: "failed", code, signal: null }]]);
  });

  test("are programs, and not commands of a shell", async () => {
    const { exits } = await run([
      ["echo", "one"],
      ["exit", "0"],
    ]);
    expect(exits).toMatchObject([{ code: 0 }, { systemError: expect.stringContaining("no such program") }]);
  });

  test.each([
    ["is missing", ["no-such-program"], 'cannot start "no-such-program": there is no such program'],
    ["is a missing path", ["./none"], 'cannot start "./none": there is no such program'],
    [
      "is not executable",
      ["/etc/passwd"],
      'cannot start "/etc/passwd": it is not executable; set its mode (chmod +x)',
    ],
    ["is a folder", ["/etc"], 'cannot start "/etc": it is a folder'],
    ["has an empty name", [""], 'cannot start "": its name is empty'],
    ["has line ends of Windows", ["./crlf"], "ends with a carriage return, which Linux takes for a part of"],
    [
      "has no interpreter",
      ["./script"],
      "its first line names the interpreter /no/python, which does not exist",
    ],
    [
      "has a long argument",
      ["echo", "x".repeat(200_000)],
      "are larger than the system accepts (on Linux 128 KiB",
    ],
  ])("whose program %s fail with an explanation in the log", async (_, argv, message) => {
    const { taskDir } = task.context;
    writeFileSync(join(taskDir, "crlf"), "#!/bin/sh\r\necho up\r\n", { mode: 0o755 });
    writeFileSync(join(taskDir, "script"), "#!/no/python\n", { mode: 0o755 });
    const { success } = await run([argv]);
    expect(success).toBe(false);
    expect(await logText()).toMatch(/System error executing command: cannot start/);
    expect(await logText()).toContain(message);
  });

  test("in a folder that was removed fail with an explanation in the log", async () => {
    await run([sh('rmdir "$TASK_WORKDIR"'), ["true"]]);
    expect(await logText()).toContain('cannot start "true": its working directory was removed');
  });

  test("may open /dev/stderr and redirect to it without damaging the log", async () => {
    await run([
      sh("echo first; echo second > /dev/stderr; echo third | tee /dev/stderr > /dev/null; echo fourth"),
    ]);
    expect(await logText()).toContain("first\nsecond\nthird\nfourth\n");
  });

  test("have an empty standard input", async () => {
    const { success } = await run([["cat"]]);
    expect(success).toBe(true);
  });

  test("lose no byte of a large output", async () => {
    await run([sh("head -c 20000000 /dev/zero | tr '\\0' x")]);
    const text = await task.logText();
    expect(text.split("\n").map((line) => line.length)).toContain(20_000_000);
  });

  test("are reported with the CPU time of each", async () => {
    const burn = sh("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done");
    const { exits } = await run([sh("true"), burn, sh("true")]);
    const [before = -1, busy = -1, after = -1] = exits.map(
      ({ userMs = -1, systemMs = -1 }) => userMs + systemMs,
    );
    // It takes 150 ms or more, the others a few milliseconds.
    expect(busy).toBeGreaterThan(50);
    for (const idle of [before, after]) expect(idle >= 0 && idle < busy / 2).toBe(true);
  });
});

describe("the environment", () => {
  const environmentOf = async (environment: NodeJS.ProcessEnv, env: Record<string, string> = {}) => {
    await run([["env"]], { ...path, ...environment }, env);
    const lines = (await task.logText()).split("\n").filter((line) => /^\w+=/.test(line));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  };

  test("has few variables of the worker, none of which is a secret", async () => {
    const allowed = {
      LANG: "C.UTF-8",
      LC_ALL: "C",
      TZ: "UTC",
      TERM: "dumb",
      https_proxy: "http://p:1",
      NO_PROXY: "x",
    };
    const others = {
      TASKCLUSTER_ACCESS_TOKEN: "s",
      TASKYARD_AUTH_ROOT_TOKEN: "s",
      DATABASE_URL: "s",
      GITHUB_TOKEN: "s",
      NPM_TOKEN: "s",
      SSH_AUTH_SOCK: "s",
      npm_config__authToken: "s",
      npm_package_name: "s",
      INIT_CWD: "s",
      NODE_OPTIONS: "--no-warnings",
      HOME: "/root",
      TMPDIR: "/elsewhere",
    };
    const env = await environmentOf({ ...allowed, ...others });
    expect(env).toMatchObject(allowed);
    const own = ["HOME", "LOGNAME", "PATH", "PWD", "RUN_ID", "SHELL", "TASKCLUSTER_ROOT_URL", "TASKYARD_RUN"];
    const ofTask = [...own, "TASK_GROUP_ID", "TASK_ID", "TASK_WORKDIR", "TMPDIR", "USER"];
    // Some shells add these.
    const names = Object.keys(env).filter((name) => !["_", "SHLVL"].includes(name));
    expect(names.sort()).toEqual([...Object.keys(allowed), ...ofTask].sort());
  });

  test("has a home and a folder for temporary files that belong to the task", async () => {
    const { homeDir, tempDir } = task.context;
    const { success } = await run([sh('test "$(id -un)" = "$USER" && echo x > "$HOME/x" && mktemp')]);
    expect(success).toBe(true);
    expect((await stat(join(homeDir, "x"))).size).toBe(2);
    expect(await task.logText()).toContain(`${tempDir}/tmp.`);
  });

  test("has PATH without the folders of the npm script that started the worker", async () => {
    const npm =
      "/app/node_modules/.bin:/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin";
    expect(await environmentOf({ PATH: `${npm}:/usr/bin:/bin` })).toMatchObject({ PATH: "/usr/bin:/bin" });
  });

  test("has the variables that the operator has added", async () => {
    const environment = { ...path, JAVA_HOME: "/java", CC: "gcc" };
    const builder = await testEngine({ environment, variables: ["JAVA_HOME"] }).newSandboxBuilder(
      task.context,
      {
        command: [["env"]],
      },
    );
    await (
      await builder.start()
    ).result;
    expect(await task.logText()).toMatch(/^JAVA_HOME=\/java$/m);
    expect(await task.logText()).not.toMatch(/^CC=/m);
  });

  test("has fixed values that cannot be overridden", async () => {
    const { info, taskDir } = task.context;
    const env = await environmentOf(
      { TASK_ID: "outer" },
      { TASK_ID: "mine", RUN_ID: "7", GREETING: "hello" },
    );
    expect(env).toMatchObject({
      TASK_ID: info.taskId,
      RUN_ID: "0",
      TASK_WORKDIR: taskDir,
      TASK_GROUP_ID: info.definition.taskGroupId,
      TASKCLUSTER_ROOT_URL: "https://taskyard.example.com",
      GREETING: "hello",
      PWD: taskDir,
    });
  });
});

test(
  "tasks of a worker that is root run as another user, who cannot read the worker's files",
  onlyAsRoot,
  async () => {
    const { controlDir, log, taskDir } = task.context;
    const { success } = await run([
      sh(`test "$(id -u)" != 0; test "$(id -G)" = "${taskUser.gid}"; touch file`),
      sh(`! ls ${controlDir} && ! cat ${log.path} && ! rm -f ${log.path} && ! ls ../../../control`),
    ]);
    expect(success).toBe(true);
    expect((await stat(join(taskDir, "file"))).uid).toBe(taskUser.uid);
  },
);

test("files that plugins have put into the task's folder belong to the task", async () => {
  writeFileSync(join(task.context.taskDir, "source"), "old");
  const { success } = await run([sh("echo new > source")]);
  expect(success).toBe(true);
});
