import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { eventually } from "../support/until.ts";
import { startShell } from "./shell-session.ts";

async function session() {
  const scratch = await temporaryFolder();
  const shell = startShell({ cwd: scratch, env: { PATH: process.env["PATH"] ?? "" }, scratch });
  onTestFinished(() => shell.end());
  return shell;
}

test("scripts share the shell's variables and folder, and their output is kept apart", async () => {
  const shell = await session();
  expect(await shell.run("A=1; cd /\necho a; echo b >&2\n")).toEqual({ status: 0, out: "a\n", err: "b\n" });
  expect(await shell.run('echo "$A $PWD"; read -r line || echo no input')).toMatchObject({
    out: "1 /\nno input\n",
  });
});

test("a script ends at its first command that fails", async () => {
  const shell = await session();
  expect(await shell.run("echo a\n(exit 7)\necho b\n")).toEqual({ status: 7, out: "a\n", err: "" });
});

test("a script that is started runs until the session ends", async () => {
  const shell = await session();
  const output = await shell.start("echo $$; exec sleep 1000\n");
  await eventually(async () => expect(await output()).toMatch(/^\d+\n$/));
  expect(await shell.run("echo a")).toMatchObject({ status: 0, out: "a\n" });
  await shell.end();
});
