import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, it, onTestFinished } from "vitest";
import { onlyIf } from "../../test/support/only-if.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { eventually } from "../../test/support/until.ts";
import { logOutput } from "./log-output.ts";

it("holds a bounded number of lines for a reader that does not read, and counts the others when it reads again", async () => {
  const read: string[] = [];
  let next: (() => void) | undefined;
  let isStalled = true;
  const pipe = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      read.push(line);
      if (isStalled) next = done;
      else done();
    },
  });
  const dropped: number[] = [];
  const log = logOutput(pipe, (lines) => {
    dropped.push(lines);
    log.write(`dropped ${lines}\n`);
  });
  const line = `${"x".repeat(999)}\n`;
  for (let i = 0; i < 3000; i++) log.write(line);
  expect(pipe.writableLength).toBeLessThan(1_010_000);
  expect(dropped).toEqual([]);

  isStalled = false;
  next?.();
  await eventually(() => expect(read.at(-1)).toBe(`dropped ${dropped[0]}\n`));
  expect(read.length - 1 + (dropped[0] ?? 0)).toBe(3000);
  // None is dropped from then on.
  log.write(line);
  expect(read.at(-1)).toBe(line);
  expect(dropped).toHaveLength(1);
});

/** Runs a command on a terminal of its own. */
const program = "script";
const hasProgram = spawnSync(program, ["--version"]).status === 0;

it(
  "does not wait for a terminal that has stopped",
  onlyIf(hasProgram, `it needs the command \`${program}\`, which provides a terminal`),
  async () => {
    const folder = await temporaryFolder();
    const source = `
      import { writeFileSync } from "node:fs";
      import { logOutput } from ${JSON.stringify(import.meta.resolve("./log-output.ts"))};
      const log = logOutput(process.stdout, () => undefined);
      for (let i = 0; i < 500; i++) log.write("x".repeat(999) + "\\n");
      writeFileSync(${JSON.stringify(join(folder, "done"))}, String(process.stdout.isTTY));
      process.exit(0);
    `;
    const command = `${JSON.stringify(process.execPath)} --import tsx --input-type=module -e "$PROGRAM"`;
    // Its output is not read.
    const terminal = spawn(program, ["-qec", command, "/dev/null"], {
      env: { ...process.env, PROGRAM: source },
      stdio: ["ignore", "pipe", "ignore"],
    });
    onTestFinished(() => void terminal.kill("SIGKILL"));
    await eventually(() => expect(existsSync(join(folder, "done"))).toBe(true));
  },
);
