// Folders of runs: created when a run starts, removed when it ends, and cleaned up after a crash of the worker.
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Type from "typebox";
import type { Static } from "typebox";
import { Compile } from "typebox/compile";
import type { Engine, RunId } from "./engine.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import { isRunning, ownIdentity } from "./process-identity.ts";

export interface TaskFolders {
  /** The working directory of the commands. */
  readonly taskDir: string;
  /** For the worker: the log, compressed copies. Outside of `taskDir`, so that a task that saves "." does not save it. */
  readonly controlDir: string;
  /** Removes both. */
  remove(): Promise<void>;
}

const Owner = Type.Object({
  taskId: Type.String(),
  runId: Type.Integer(),
  workerPid: Type.Integer(),
  /** When the worker's process started (see ProcessStat), 0 if unknown. Process ids are reused. */
  workerBegan: Type.Integer(),
});
const owner = Compile(Owner);
const ownerFile = "run.json";

/** Creates the folders of a run below `workDir`. */
export async function createTaskFolders(workDir: string, run: RunId): Promise<TaskFolders> {
  const folder = join(workDir, `task_${run.taskId}_${run.runId}`);
  // The same run may be claimed twice if a reply was lost. Files of the first time must not remain.
  await removeTree(folder);
  const taskDir = join(folder, "work");
  await mkdir(taskDir, { recursive: true, mode: 0o700 });
  const { pid: workerPid, began: workerBegan } = ownIdentity();
  await writeFile(
    join(folder, ownerFile),
    JSON.stringify({ ...run, workerPid, workerBegan } satisfies Static<typeof Owner>),
  );
  return { taskDir, controlDir: folder, remove: () => removeTree(folder) };
}

/**
 * Ends the processes and removes the folders of runs whose worker no longer exists, as after a crash or a power failure.
 * Skips those of running workers, which may share `workDir`.
 */
export async function cleanUp(
  workDir: string,
  engine: Pick<Engine, "cleanUp">,
  monitor: WorkerMonitor,
): Promise<void> {
  for (const name of await readdir(workDir)) {
    if (!/^task_[\w-]{22}_\d+$/.test(name)) continue;
    const folder = join(workDir, name);
    const run = await readOwner(folder);
    if (run !== undefined) {
      if (isRunning({ pid: run.workerPid, began: run.workerBegan })) continue;
      await engine.cleanUp(run);
    }
    monitor.info("removing the folder of a run whose worker is gone", { folder });
    await removeTree(folder).catch((error: unknown) => monitor.reportError(error, { folder }));
  }
}

async function readOwner(folder: string) {
  try {
    const run: unknown = JSON.parse(await readFile(join(folder, ownerFile), "utf8"));
    return owner.Check(run) ? run : undefined;
  } catch {
    return undefined;
  }
}

/** Removes a folder and its contents, even if the task has made folders read-only. */
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
