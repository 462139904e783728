import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { onlyOnLinux } from "../../test/support/only-if.ts";
import { allProcesses, processStat } from "./proc-stat.ts";

describe("a process", onlyOnLinux, () => {
  test("is described, with any name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "taskyard-proc-"));
    const program = join(folder, "a) Z 1 (b");
    await copyFile("/bin/sleep", program);
    const child = spawn(program, ["1000"], { detached: true });
    await once(child, "spawn");
    const { pid = 0 } = child;
    expect(processStat(pid)).toMatchObject({ pid, parent: process.pid, group: pid, alive: true });
    expect([...allProcesses()].map((one) => one.pid)).toEqual(expect.arrayContaining([pid, process.pid]));
    child.kill();
    await once(child, "exit");
    expect(processStat(pid)).toBeUndefined();
    await rm(folder, { recursive: true });
  });

  test("starts later than its parent", async () => {
    const child = spawn("sleep", ["1000"]);
    await once(child, "spawn");
    expect(processStat(child.pid ?? 0)?.startTicks).toBeGreaterThan(
      processStat("self")?.startTicks ?? Infinity,
    );
    child.kill();
    await once(child, "exit");
  });
});
