import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { slugid } from "../lib/slugid.ts";
import { onlyAsRoot, onlyOnLinux, onlyWithMounts } from "../../test/support/only-if.ts";
import { makeTemporaryFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import { taskUser, testEngine } from "../../test/support/test-engine.ts";
import { logMonitor } from "./worker-monitor.ts";
import { cleanUp, createTaskFolders } from "./task-dir.ts";
import { openWorkDir } from "./work-dir.ts";
import type { WorkDir } from "./work-dir.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
let workDir: WorkDir;
const children: ChildProcess[] = [];
beforeEach(async () => {
  workDir = await openWorkDir(await makeTemporaryFolder(), undefined);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(workDir.path, { recursive: true, force: true });
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
/** Returns the folders of runs. */
async function remaining(): Promise<string[]> {
  const { path, control, tasks } = workDir;
  const lists = await Promise.all(
    [path, control, tasks].map(async (parent) => (await readdir(parent)).map((name) => join(parent, name))),
  );
  return lists
    .flat()
    .filter((folder) => basename(folder).startsWith("task_"))
    .sort();
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
    const { controlDir, taskDir, homeDir, tempDir, ...folders } = await createTaskFolders(workDir, {
      taskId,
      runId: 0,
    });
    expect(controlDir).toBe(join(workDir.control, `task_${taskId}_0`));
    expect(taskDir).toBe(join(workDir.tasks, `task_${taskId}_0/work`));
    for (const folder of [taskDir, homeDir, tempDir]) expect(await readdir(folder)).toEqual([]);
    for (const folder of [controlDir, taskDir]) expect((await stat(folder)).mode & 0o077).toBe(0);
    await folders.remove();
    expect(await remaining()).toEqual([]);
  });

  test(
    "belong to the user of tasks, who can enter them, wherever the worker's folder is",
    onlyAsRoot,
    async () => {
      const elsewhere = await temporaryFolder();
      const hidden = join(workDir.path, "hidden");
      await mkdir(hidden, { mode: 0o700 });
      for (const path of [workDir.path, join(hidden, "worker")]) {
        const found = await openWorkDir(path, taskUser, elsewhere);
        const { taskDir, controlDir } = await createTaskFolders(found, { taskId: slugid(), runId: 0 });
        const as = { uid: taskUser.uid, gid: taskUser.gid, cwd: "/" };
        execFileSync("sh", ["-c", 'cd "$1" && touch file', "sh", taskDir], as);
        expect(() => execFileSync("sh", ["-c", 'cd "$1" 2> /dev/null', "sh", controlDir], as)).toThrow(
          "failed",
        );
        // A later start finds the same folder.
        expect(await openWorkDir(path, taskUser, elsewhere)).toEqual(found);
      }
    },
  );

  test("are refused where the user of tasks cannot enter them, at each start", onlyAsRoot, async () => {
    const elsewhere = await temporaryFolder();
    const hidden = join(workDir.path, "hidden");
    for (const folder of [elsewhere, hidden]) await mkdir(folder, { recursive: true });
    for (const folder of [elsewhere, hidden]) await chmod(folder, 0o700);
    for (let start = 1; start <= 2; start++)
      await expect(openWorkDir(join(hidden, "worker"), taskUser, elsewhere)).rejects.toThrow(
        /^the user of tasks \(uid \d+\) cannot enter \S+\/tasks-\w+\. Make that folder/,
      );
    expect((await stat(elsewhere)).mode & 0o777).toBe(0o700);
  });

  test("can be removed when they are deeper than the longest path", async () => {
    const folders = await createTaskFolders(workDir, { taskId: slugid(), runId: 0 });
    const script = `
      const fs = require("fs");
      for (let i = 0; i < 40; i++) {
        fs.mkdirSync("d".repeat(200));
        process.chdir("d".repeat(200));
      }
      fs.chmodSync(".", 0o500);`;
    execFileSync(process.execPath, ["-e", script], { cwd: folders.taskDir });
    await folders.remove();
    expect(await remaining()).toEqual([]);
  });

  test(
    "that cannot be removed give way to others for the next claim of the run",
    onlyWithMounts,
    async () => {
      const run = { taskId: slugid(), runId: 0 };
      const first = await createTaskFolders(workDir, run);
      // Stands for all that cannot be removed. Not every file system has immutable files.
      execFileSync("mount", ["-t", "tmpfs", "none", first.taskDir]);
      try {
        await expect(first.remove()).rejects.toThrow(/^the folder .* could not be removed: rm: .*busy/);
        const second = await createTaskFolders(workDir, run);
        expect(second.taskDir).toBe(join(workDir.tasks, `task_${run.taskId}_0_2/work`));
        await second.remove();
        const logged: string[] = [];
        await cleanUp(
          workDir,
          testEngine(),
          logMonitor({ ...silent, error: (_, message) => void logged.push(message) }),
        );
        expect(logged).toEqual([expect.stringContaining("could not be removed")]);
      } finally {
        execFileSync("umount", [first.taskDir]);
      }
    },
  );

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
    expect(await remaining()).toEqual([]);
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
    await cleanUp(workDir, testEngine(), logMonitor(silent));
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(await remaining()).toEqual([]);
  });

  test("skips the folders of running workers", async () => {
    const { controlDir } = await createTaskFolders(workDir, { taskId: slugid(), runId: 0 });
    await cleanUp(workDir, testEngine(), logMonitor(silent));
    expect(await remaining()).toEqual([controlDir, join(workDir.tasks, basename(controlDir))].sort());
  });

  test("skips other folders", async () => {
    for (const name of ["task_x_0", "precious", `task_${slugid()}`]) await mkdir(join(workDir.path, name));
    await cleanUp(workDir, testEngine(), logMonitor(silent));
    expect((await readdir(workDir.path)).length).toBe(5);
  });

  test("is not blocked by named pipes and links in place of its files", onlyOnLinux, async () => {
    const { controlDir } = await createTaskFolders(workDir, { taskId: slugid(), runId: 0 });
    const other = await createTaskFolders(workDir, { taskId: slugid(), runId: 0 });
    for (const folder of [controlDir, other.controlDir]) await rm(join(folder, "run.json"));
    execFileSync("mkfifo", [join(controlDir, "run.json")]);
    await symlink("/dev/zero", join(other.controlDir, "run.json"));
    await cleanUp(workDir, testEngine(), logMonitor(silent));
    expect(await remaining()).toEqual([]);
  });

  test("removes a folder that a crash left incomplete", async () => {
    const name = `task_${slugid()}_3`;
    for (const parent of [workDir.path, workDir.control, workDir.tasks]) {
      await mkdir(join(parent, name));
      await writeFile(join(parent, name, "run.json"), "{");
    }
    await cleanUp(workDir, testEngine(), logMonitor(silent));
    expect(await remaining()).toEqual([]);
  });
});
