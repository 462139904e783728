import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";

/** Runs a program that ends itself with status 3, and returns how it ended. */
async function endOf(program: string): Promise<unknown[]> {
  const source = `import { endProcess } from ${JSON.stringify(import.meta.resolve("./end-process.ts"))};\n${program}`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], {
    stdio: "inherit",
  });
  return once(child, "exit");
}

it("ends a process with its status, and one with a hanging thread by force", async () => {
  const pipe = join(await temporaryFolder(), "pipe");
  execFileSync("mkfifo", [pipe]);
  // Opening a named pipe waits for a writer. The other read shows that the thread has begun.
  const hanging = `
    import { open, stat } from "node:fs/promises";
    void open(${JSON.stringify(pipe)}, "r");
    await stat("/");
    endProcess(3);`;
  expect(await Promise.all([endOf("endProcess(3);"), endOf(hanging)])).toEqual([
    [3, null],
    [null, "SIGKILL"],
  ]);
});
