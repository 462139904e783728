// The executables in `bin`: what they print when they cannot start, and that package and shell find them.
import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Returns a folder as after a clone, with nothing installed or built. */
async function clone(): Promise<string> {
  const folder = await temporaryFolder();
  await cp("bin", join(folder, "bin"), { recursive: true });
  await cp("package.json", join(folder, "package.json"));
  return folder;
}
const run = (program: string) => {
  const { status, stdout, stderr } = spawnSync(program, ["version"], { encoding: "utf8" });
  return { status, stdout, stderr };
};

test.each(["taskyard", "taskyard.js"])(
  "bin/%s explains what to run before it was installed or built",
  async (name) => {
    const folder = await clone();
    const program = join(folder, "bin", name);
    const todo = (commands: string) => ({
      status: 1,
      stdout: "",
      stderr: `error: Taskyard is not built yet: run \`${commands}\` in ${folder}\n`,
    });
    expect(run(program)).toEqual(todo("npm ci && npm run build"));
    await mkdir(join(folder, "node_modules"));
    expect(run(program)).toEqual(todo("npm run build"));
  },
);

test("a missing package is explained, and any other failure keeps its stack", async () => {
  const folder = await clone();
  const program = join(folder, "bin", "taskyard");
  await mkdir(join(folder, "dist"));
  await writeFile(join(folder, "dist", "taskyard.js"), 'import "not-installed";');
  const { status, stderr } = run(program);
  expect(stderr).toMatch(
    /^error: a package .* is not installed \(.*not-installed.*\): run `npm ci` in .*\n$/,
  );
  expect(status).toBe(1);
  await writeFile(join(folder, "dist", "taskyard.js"), 'throw new Error("a bug");');
  expect(run(program).stderr).toMatch(/Error: a bug\n +at /);
});

// `.ci/package` installs it.
test("the package builds and installs the command that is in bin", async () => {
  const description = JSON.parse(await readFile("package.json", "utf8")) as Record<string, unknown>;
  expect(description).toMatchObject({
    bin: { taskyard: "bin/taskyard" },
    files: expect.arrayContaining(["bin", "dist", "src"]),
    scripts: { prepack: expect.stringContaining("npm run build") },
  });
});
