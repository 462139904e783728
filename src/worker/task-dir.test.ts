import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { slugid } from "../lib/slugid.ts";
import { nativeEngine } from "./engines/native/engine.ts";
import { logMonitor } from "./worker-monitor.ts";
import { cleanUp, createTaskFolders } from "./task-dir.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
let workDir: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  workDir = await mkdtemp(join(tmpdir(), "taskyard-work-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(workDir, { recursive: true, force: true });
});

/** Starts a process with the marker of a run, in its own session. */
function stray(taskId: string): ChildProcess {
  const child = spawn("sleep", ["1000"], {
    detached: true,
    env: { ...process.env, TASKYARD_RUN: `${taskId}/0` },
  });
  children.push(child);
  return child;
}
/** Changes the owner of a run's folder to another worker process. */
async function disown(folder: string, workerPid: number, workerBegan: number): Promise<void> {
  const path = join(folder, "run.json");
  const run: object = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...run, workerPid, workerBegan }));
}

describe("the folders of a run", () => {
  test("are separate for task and worker, and not readable by other users", async () => {
    const taskId = slugid();
    const folders = await createTaskFolders(workDir, { taskId, runId: 0 });
    expect(folders.controlDir).toBe(join(workDir, `task_${taskId}_0`));
    expect(await readdir(folders.taskDir)).toEqual([]);
    expect((await stat(folders.controlDir)).mode & 0o077).toBe(0);
    await folders.remove();
    expect(await readdir(workDir)).toEqual([]);
  });

  test("are empty when the same run is claimed again", async () => {
    const run = { taskId: slugid(), runId: 0 };
    const { taskDir } = await createTaskFolders(workDir, run);
    await writeFile(join(taskDir, "old"), "content");
    await createTaskFolders(workDir, run);
    expect(await readdir(taskDir)).toEqual([]);
  });

  test("can be removed when the task has made them read-only", async () => {
    const folders = await createTaskFolders(workDir, { taskId: slugid(), runId: 0 });
    await mkdir(join(folders.taskDir, "a/b"), { recursive: true });
    await writeFile(join(folders.taskDir, "a/b/c"), "");
    await chmod(join(folders.taskDir, "a/b"), 0o500);
    await chmod(join(folders.taskDir, "a"), 0o500);
    await folders.remove();
    expect(await readdir(workDir)).toEqual([]);
  });
});

describe("cleaning up", () => {
  test("ends the processes and removes the folder of a worker that is gone", async () => {
    const taskId = slugid();
    const { controlDir } = await createTaskFolders(workDir, { taskId, runId: 0 });
    const child = stray(taskId);
    // A process id that is in use by a process with another start time, since ids are reused.
    await disown(controlDir, process.pid, 1);
    const ended = once(child, "exit");
    await cleanUp(workDir, nativeEngine({}), logMonitor(silent));
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(await readdir(workDir)).toEqual([]);
  });

  test("skips the folders of running workers", async () => {
    const { controlDir } = await createTaskFolders(workDir, { taskId: slugid(), runId: 0 });
    await cleanUp(workDir, nativeEngine({}), logMonitor(silent));
    expect(await readdir(workDir)).toEqual([controlDir.slice(workDir.length + 1)]);
  });

  test("skips other folders", async () => {
    for (const name of ["task_x_0", "precious", `task_${slugid()}`]) await mkdir(join(workDir, name));
    await cleanUp(workDir, nativeEngine({}), logMonitor(silent));
    expect((await readdir(workDir)).length).toBe(3);
  });

  test("removes a folder that a crash left incomplete", async () => {
    const name = `task_${slugid()}_3`;
    await mkdir(join(workDir, name));
    await writeFile(join(workDir, name, "run.json"), "{");
    await cleanUp(workDir, nativeEngine({}), logMonitor(silent));
    expect(await readdir(workDir)).toEqual([]);
  });
});
