import { execFileSync } from "node:child_process";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../../test/support/captured-io.ts";
import { json, scriptedServer } from "../../test/support/scripted-server.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { notAsRoot } from "../../test/support/only-if.ts";
import { VERSION } from "../lib/version.ts";
import { commands } from "./commands.ts";

describe("help", () => {
  test("of the program lists every command", async () => {
    for (const words of [["--help"], ["-h"], ["help"]]) {
      const { status, out, err } = await runCli(words);
      expect({ status, err }).toEqual({ status: 0, err: "" });
      for (const { name, summary } of commands) {
        expect(out).toContain(`  ${name} `);
        expect(out).toContain(summary.slice(0, 40));
      }
    }
  });

  test.each(commands.map((command) => [command.name, command] as const))(
    "of %s has its usage, options and examples",
    async (name, command) => {
      const help = await runCli([...name.split(" "), "--help"]);
      expect(help).toMatchObject({ status: 0, err: "" });
      expect(await runCli(["help", ...name.split(" ")])).toEqual(help);
      const { out } = help;
      expect(out).toContain(`Usage: taskyard ${name} [OPTIONS]`);
      for (const option of Object.keys(command.options)) expect(out).toContain(`--${option}`);
      expect(command.examples.length).toBeGreaterThan(0);
      for (const example of command.examples) {
        expect(example.command).toContain("taskyard ");
        expect(out).toContain(`  ${example.command}\n`);
      }
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(90);
    },
  );

  test("of a group lists its commands", async () => {
    const { status, out } = await runCli(["task", "--help"]);
    expect(status).toBe(0);
    expect(out).toContain("Usage: taskyard task COMMAND [OPTIONS]");
    expect(out.match(/^ {2}task \w+/gm)).toHaveLength(
      commands.filter(({ name }) => name.startsWith("task ")).length,
    );
  });

  test("is colored on terminals that support it", async () => {
    const bold = "\u001B[1mUsage:";
    expect((await runCli(["--help"])).out).not.toContain("\u001B");
    expect((await runCli(["--help"], { terminal: true })).out).toContain(bold);
    expect((await runCli(["--help"], { terminal: true, env: { NO_COLOR: "1" } })).out).not.toContain(
      "\u001B",
    );
    expect((await runCli(["--help"], { terminal: true, env: { TERM: "dumb" } })).out).not.toContain("\u001B");
    expect((await runCli(["--help"], { env: { FORCE_COLOR: "1" } })).out).toContain(bold);
  });
});

describe("an invalid command line", () => {
  test.each([
    [[], "no command given: choose one of those above\nSee: taskyard --help"],
    [["tsak"], "unknown command tsak; did you mean task?\nSee: taskyard --help"],
    [["task"], "task needs a command: choose one of those above\nSee: taskyard --help"],
    [["logs"], "unknown command logs; did you mean `taskyard task log`?\nSee: taskyard --help"],
    [["status"], "unknown command status; did you mean `taskyard task status` or `taskyard group status`?"],
    [["cancel"], "unknown command cancel; did you mean `taskyard task cancel` or `taskyard group cancel`?"],
    [
      ["list"],
      "unknown command list; did you mean `taskyard task list` or `taskyard group list` or `taskyard queue list`? `taskyard help` lists others of this name.\n",
    ],
    [["start"], "unknown command start; did you mean `taskyard up`?"],
    [
      ["task", "wait", "fN1SbArXTPSVFNUvaOlinQ", "--jsno"],
      "task wait has no option --jsno; did you mean --json?",
    ],
    [["task", "logs"], "unknown task command logs; did you mean log?"],
    [["task", "stop"], "unknown task command stop; did you mean cancel?"],
    [["task", "lgo"], "unknown task command lgo; did you mean log?\nSee: taskyard --help"],
    [["task", "frobnicate"], "unknown task command frobnicate; available: create, list, status, why, log, "],
    [["task", "log"], "task log needs TASK_ID\nSee: taskyard task log --help"],
    [["task", "log", "abc"], "abc is not a task id: ids have 22 characters"],
    [
      ["task", "log", "AAAAAAAAAAAAAAAAAAAAAA"],
      "AAAAAAAAAAAAAAAAAAAAAA is not a task id: some of its characters cannot be at their place; copy it again",
    ],
    [["task", "priority", "fN1SbArXTPSVFNUvaOlinQ", "hihg"], "hihg: did you mean high?"],
    [["group", "priority", "fN1SbArXTPSVFNUvaOlinQ", "7"], "7: must be one of highest, very-high, high, "],
    [["group", "cancel", "abc"], "abc is not a group id"],
    [["group", "seal"], "group seal needs GROUP_ID"],
    [["group", "status", "abc"], "abc is not a group id"],
    [["run"], "run needs COMMAND\nSee: taskyard run --help"],
    [["run", "--priorty", "high", "true"], "run has no option --priorty; did you mean --priority?"],
    // In other commands, -q is --quiet.
    [["worker", "-q", "a/b"], "worker has no option -q; did you mean --task-queue?"],
    [["up", "-q", "a/b"], "up has no option -q; did you mean --task-queue?"],
    [["worker", "-w", "x"], "worker has no option -w"],
    [["run", "--priority", "hihg", "true"], "--priority hihg: did you mean high?"],
    [["run", "--env", "1=2", "true"], "--env 1=2: must be NAME=VALUE or NAME"],
    [["run", "--env", "NOT_SET", "true"], "--env NOT_SET: not set in this environment"],
    [
      ["run", "--artifact", "../x", "true"],
      "--artifact ../x: the path leads out of the task's folder; copy the file into it in a command",
    ],
    [
      ["run", "--task-queue", "local", "true"],
      "--task-queue local: must be a task queue such as local/default",
    ],
    [["run", "--max-run-time", "0", "true"], "--max-run-time 0 is too short"],
    [["run", "--max-run-time", "5x", "true"], '--max-run-time 5x has the unknown unit "x"'],
    [["run", "--local", "--detach", "true"], "--local and --detach exclude each other"],
    [["task", "create", "-", "--task-id", "x"], "--task-id x: must be a slugid"],
  ])("%j is a usage error", async (words, message) => {
    const { status, err } = await runCli(words);
    expect(err).toContain(`error: ${message}`);
    expect(status).toBe(2);
  });
});

test("a letter is the same option in all commands", () => {
  const meanings = commands.flatMap(({ options }) =>
    Object.entries(options).flatMap(([name, { short }]) => (short === undefined ? [] : [`${short} ${name}`])),
  );
  expect(meanings).toContain("q quiet");
  const letters = new Set(meanings.map((meaning) => meaning.slice(0, 1)));
  expect([...new Set(meanings)]).toHaveLength(letters.size);
});

describe("a server that cannot start", () => {
  test.each([
    [
      "serve",
      1,
      "serve needs DATABASE_URL, TASKYARD_AUTH_ROOT_ACCESS_TOKEN, TASKYARD_AUTH_SECRET, TASKYARD_ENCRYPTION_KEYS (a key from `openssl rand -base64 32`)",
    ],
    ["serve --roles api,lops", 2, "--roles api,lops: lops is not a role; did you mean loops?"],
    ["up --port none", 1, "server.port"],
    ["up --config nowhere.yml", 1, "nowhere.yml"],
    ["worker --capacity some", 1, "worker.capacity"],
  ])("taskyard %s reports why", async (line, expected, message) => {
    const { status, out, err } = await runCli(line.split(" "));
    expect(err).toContain(message);
    expect({ status, out }).toEqual({ status: expected, out: "" });
  });
});

describe("without a server", () => {
  const lines = ["ping", "env", "run -- true", "task status fN1SbArXTPSVFNUvaOlinQ", "worker"];

  test.each(lines)("taskyard %s explains how to start one", async (line) => {
    const { status, out, err } = await runCli(line.split(" "), { env: { PATH: "" } });
    expect(err).toContain("error: no local server is running");
    expect(err).toContain("`taskyard up`");
    expect(err).toContain("`taskyard run --local -- COMMAND`");
    expect({ status, out }).toEqual({ status: 1, out: "" });
  });

  test("the error names a server that does not respond", async () => {
    const { rootUrl, close } = await scriptedServer(json({}));
    await close();
    const { status, err } = await runCli(["ping"], { env: { TASKCLUSTER_ROOT_URL: `${rootUrl}/` } });
    expect(err).toContain(`error: no answer from ${rootUrl} to queue.ping: connect ECONNREFUSED`);
    expect(err).toContain("`taskyard up`");
    expect(status).toBe(1);
  });

  test("the error says if a server does not use TLS", async () => {
    const { rootUrl } = await scriptedServer(json({}));
    const { err } = await runCli(["ping"], {
      env: { TASKCLUSTER_ROOT_URL: rootUrl.replace("http:", "https:") },
    });
    expect(err).toContain("The server does not use TLS there: let TASKCLUSTER_ROOT_URL begin with http:");
  });

  test.each([
    [{ TASKCLUSTER_ROOT_URL: "localhost" }, 'the root URL "localhost" must be a URL such as'],
    [{ TASKCLUSTER_CLIENT_ID: "me" }, "TASKCLUSTER_CLIENT_ID is set, but TASKCLUSTER_ACCESS_TOKEN is not"],
    [{ TASKCLUSTER_ACCESS_TOKEN: "t" }, "TASKCLUSTER_ACCESS_TOKEN is set, but TASKCLUSTER_CLIENT_ID is not"],
    [
      { TASKCLUSTER_CLIENT_ID: "me", TASKCLUSTER_ACCESS_TOKEN: "t", TASKCLUSTER_CERTIFICATE: "{" },
      "the certificate of the credentials must be JSON: use it unchanged",
    ],
  ])("%j is explained", async (env, message) => {
    const { status, err } = await runCli(["ping"], {
      env: { TASKCLUSTER_ROOT_URL: "http://127.0.0.1:1", ...env },
    });
    expect(err).toContain(message);
    expect(status).toBe(1);
  });
});

describe("the local instance", () => {
  async function home(files: Record<string, unknown>): Promise<string> {
    const folder = await temporaryFolder();
    for (const [name, content] of Object.entries(files)) {
      const text = typeof content === "string" ? content : JSON.stringify(content);
      await writeFile(join(folder, name), text, { mode: 0o600 });
    }
    return folder;
  }
  const server = {
    rootUrl: "http://localhost:4711",
    clientId: "static/root",
    accessToken: "token-with-'quote",
    pid: process.pid,
  };

  test("env prints shell commands", async () => {
    const TASKYARD_HOME = await home({ "server.json": server });
    const bin = resolve("bin");
    const { status, out } = await runCli(["env"], { env: { TASKYARD_HOME } });
    expect(status).toBe(0);
    expect(out).toBe(
      "export TASKCLUSTER_ROOT_URL=http://localhost:4711\n" +
        "export TASKCLUSTER_CLIENT_ID=static/root\n" +
        "export TASKCLUSTER_ACCESS_TOKEN='token-with-'\\''quote'\n" +
        `[ "$(command -v taskyard)" -ef ${bin}/taskyard ] || export PATH=${bin}:"$PATH"\n`,
    );
    const withCertificate = await runCli(["env"], { env: { TASKYARD_HOME, TASKCLUSTER_CERTIFICATE: "{}" } });
    expect(withCertificate.out).toContain("\nunset TASKCLUSTER_CERTIFICATE\n");
    expect(JSON.parse((await runCli(["env", "--json"], { env: { TASKYARD_HOME } })).out)).toEqual({
      TASKCLUSTER_ROOT_URL: "http://localhost:4711",
      TASKCLUSTER_CLIENT_ID: "static/root",
      TASKCLUSTER_ACCESS_TOKEN: "token-with-'quote",
    });
  });

  test("env puts the program on the PATH of a shell, once, also before another program of that name", async () => {
    const TASKYARD_HOME = await home({ "server.json": server });
    const folder = join(await temporaryFolder(), "it's a folder");
    const others = await temporaryFolder();
    await mkdir(folder);
    for (const place of [folder, others])
      await writeFile(join(place, "taskyard"), `#!/bin/sh\necho from "$0"\n`, { mode: 0o755 });
    const { out } = await runCli(["env"], { env: { TASKYARD_HOME }, programFolder: folder });
    const sh = (script: string): string =>
      execFileSync("/bin/sh", ["-euc", script], {
        env: { PATH: `${others}:/usr/bin:/bin`, OUT: out },
      }).toString();
    expect(sh(`eval "$OUT"; taskyard`)).toBe(`from ${folder}/taskyard\n`);
    expect(sh(`eval "$OUT"; eval "$OUT"; echo "$PATH"`)).toBe(`${folder}:${others}:/usr/bin:/bin\n`);
    // As npm links the commands of installed packages.
    await rm(join(others, "taskyard"));
    await symlink(join(folder, "taskyard"), join(others, "taskyard"));
    expect(sh(`eval "$OUT"; echo "$PATH"`)).toBe(`${others}:/usr/bin:/bin\n`);
  });

  test("a relative home is resolved in the current folder", async () => {
    const folder = await home({});
    await mkdir(join(folder, "here"));
    await writeFile(join(folder, "here", "server.json"), JSON.stringify(server));
    expect((await runCli(["env"], { env: { TASKYARD_HOME: "here" }, cwd: folder })).status).toBe(0);
  });

  test("the file of a killed server is ignored", async () => {
    // The largest process id on Linux is 4,194,304.
    const TASKYARD_HOME = await home({
      "server.json": { ...server, pid: 4_194_305 },
    });
    expect((await runCli(["env"], { env: { TASKYARD_HOME } })).err).toContain("no local server is running");
  });

  test("a damaged file is reported without its content", async () => {
    const TASKYARD_HOME = await home({ "server.json": '{"accessToken": "hush' });
    const { status, err } = await runCli(["env"], { env: { TASKYARD_HOME } });
    expect(err).toContain(`${join(TASKYARD_HOME, "server.json")} is damaged`);
    expect(err).not.toContain("hush");
    expect(status).toBe(1);
    const { accessToken: _, ...old } = server;
    const incomplete = await runCli(["env"], { env: { TASKYARD_HOME: await home({ "server.json": old }) } });
    expect(incomplete.err).toContain("start `taskyard up` again");
  });

  test("a home folder that is none, or cannot be created, is reported by each command that uses it", async () => {
    const file = join(await home({ file: {} }), "file");
    const not = "a part of the path is not a folder (ENOTDIR)";
    const up = async (TASKYARD_HOME: string) =>
      (await runCli(["up", "--port", "0"], { env: { TASKYARD_HOME } })).err;
    const choice =
      "Make it a folder that this user can write, or set TASKYARD_HOME or --home to another one.\n";
    expect(await up(file)).toContain(
      `error: The home folder ${file} cannot be used: ${file}/secrets.json: ${not}. ${choice}`,
    );
    expect(await up("/proc/taskyard")).toContain(
      `error: The home folder /proc/taskyard cannot be used: /proc/taskyard: no folder can be created here (ENOENT). ${choice}`,
    );
    expect((await runCli(["env"], { env: { TASKYARD_HOME: file } })).err).toBe(
      `error: cannot read the file of the local server: ${file}/server.json: ${not}. Run the command as the user who started ` +
        "the server, or set TASKYARD_HOME.\n",
    );
  });

  test("a file without read permission is reported", notAsRoot, async () => {
    const TASKYARD_HOME = await home({ "server.json": server });
    await chmod(join(TASKYARD_HOME, "server.json"), 0o000);
    expect((await runCli(["env"], { env: { TASKYARD_HOME } })).err).toContain("cannot read");
  });
});

test("version prints one line, or JSON", async () => {
  expect((await runCli(["version"])).out).toMatch(
    new RegExp(`^taskyard ${VERSION.replaceAll(".", "\\.")} \\(Node .*\\)\\n$`),
  );
  for (const word of ["--version", "-V", "-v"])
    expect((await runCli([word])).out).toBe((await runCli(["version"])).out);
  expect(JSON.parse((await runCli(["version", "--json"])).out)).toMatchObject({ version: VERSION });
});
