// Folders of runs: made when a run begins, removed when it is over, and cleaned up after a worker that died.
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Type from "typebox";
import type { Static } from "typebox";
import { Compile } from "typebox/compile";
import type { Engine, RunId } from "./engine.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import { processStat } from "./proc-stat.ts";

export interface TaskFolders {
  /** Where the commands run. */
  readonly taskDir: string;
  /** The worker's: the log, compressed copies. Outside of `taskDir`, so that a task that saves "." saves none of it. */
  readonly controlDir: string;
  /** Removes both. */
  remove(): Promise<void>;
}

const Owner = Type.Object({
  taskId: Type.String(),
  runId: Type.Integer(),
  workerPid: Type.Integer(),
  /** When the worker's process began (see ProcessStat), 0 if unknown: the number of a process may be used again. */
  workerBegan: Type.Integer(),
});
const owner = Compile(Owner);
const ownerFile = "run.json";

/** Makes the folders of a run below `workDir`. */
export async function createTaskFolders(workDir: string, run: RunId): Promise<TaskFolders> {
  const folder = join(workDir, `task_${run.taskId}_${run.runId}`);
  // The same run may be claimed twice, where a reply was lost; nothing of the first time may be left.
  await removeTree(folder);
  const taskDir = join(folder, "work");
  await mkdir(taskDir, { recursive: true, mode: 0o700 });
  const workerPid = process.pid;
  await writeFile(
    join(folder, ownerFile),
    JSON.stringify({ ...run, workerPid, workerBegan: began(workerPid) } satisfies Static<typeof Owner>),
  );
  return { taskDir, controlDir: folder, remove: () => removeTree(folder) };
}

/**
 * Ends the processes and removes the folders of runs whose worker is gone, as after a crash or a power cut. Those of a
 * worker that lives, which may share `workDir`, are left alone.
 */
export async function cleanUp(
  workDir: string,
  engine: Pick<Engine, "cleanUp">,
  monitor: WorkerMonitor,
): Promise<void> {
  for (const name of await readdir(workDir)) {
    if (!/^task_[\w-]{22}_\d+$/.test(name)) continue;
    const folder = join(workDir, name);
    const left = await readOwner(folder);
    if (left !== undefined) {
      if (lives(left)) continue;
      await engine.cleanUp(left);
    }
    monitor.info("removing what a dead worker left", { folder });
    await removeTree(folder).catch((error: unknown) => monitor.reportError(error, { folder }));
  }
}

async function readOwner(folder: string) {
  try {
    const left: unknown = JSON.parse(await readFile(join(folder, ownerFile), "utf8"));
    return owner.Check(left) ? left : undefined;
  } catch {
    return undefined;
  }
}

function lives({ workerPid, workerBegan }: Static<typeof Owner>): boolean {
  try {
    process.kill(workerPid, 0);
  } catch {
    return false;
  }
  return began(workerPid) === workerBegan;
}

function began(pid: number): number {
  return processStat(pid)?.began ?? 0;
}

/** Removes a folder with everything in it, also where a task has taken away its own right to write. */
async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    await allowWriting(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function allowWriting(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await allowWriting(join(folder, entry.name));
  }
}
