// Folders of runs: created when a run starts, removed when it ends, and cleaned up after a crash of the worker.
import { chown, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Type from "typebox";
import type { Static } from "typebox";
import { Compile } from "typebox/compile";
import { codeOf } from "../lib/error-code.ts";
import type { Engine, RunId } from "./engine.ts";
import { isRunning, ownIdentity } from "./process-identity.ts";
import { readOwnFile } from "./read-own-file.ts";
import { removeTree } from "./remove-tree.ts";
import type { WorkDir } from "./work-dir.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";

export interface TaskFolders {
  /** The working directory of the commands. */
  readonly taskDir: string;
  /** For HOME and for temporary files of the commands. */
  readonly homeDir: string;
  readonly tempDir: string;
  /** For the worker: the log, compressed copies. */
  readonly controlDir: string;
  /** Removes all of them. Rejects with the reason if something cannot be removed. */
  remove(): Promise<void>;
}

const RunState = Type.Object({
  taskId: Type.String(),
  runId: Type.Integer(),
  workerPid: Type.Integer(),
  /** When the worker's process started (see ProcessStat), 0 if unknown. Process ids are reused. */
  workerBegan: Type.Integer(),
});
const runState = Compile(RunState);
const stateFile = "run.json";

/** Creates the folders of a run. */
export async function createTaskFolders(workDir: WorkDir, run: RunId): Promise<TaskFolders> {
  const { owner } = workDir;
  const { controlDir, top } = await emptyFolders(workDir, `task_${run.taskId}_${run.runId}`);
  const { pid: workerPid, began: workerBegan } = ownIdentity();
  const state = { ...run, workerPid, workerBegan } satisfies Static<typeof RunState>;
  await writeFile(join(controlDir, stateFile), JSON.stringify(state));
  const [taskDir, homeDir, tempDir] = [join(top, "work"), join(top, "home"), join(top, "tmp")];
  for (const folder of [taskDir, homeDir, tempDir]) await mkdir(folder, { mode: 0o700 });
  if (owner !== undefined)
    for (const folder of [taskDir, homeDir, tempDir, top]) await chown(folder, owner.uid, owner.gid);
  return {
    taskDir,
    homeDir,
    tempDir,
    controlDir,
    async remove() {
      const results = await Promise.allSettled([removeTree(controlDir), removeTree(top)]);
      for (const result of results) if (result.status === "rejected") throw result.reason;
    },
  };
}

/**
 * Creates the two empty folders of a run. The same run may be claimed twice if a reply was lost. What remains from the first
 * time is removed. If that is not possible, both get another name.
 */
async function emptyFolders(
  { control, tasks }: WorkDir,
  name: string,
): Promise<{ controlDir: string; top: string }> {
  for (let number = 1; ; number++) {
    const unique = number === 1 ? name : `${name}_${number}`;
    const [controlDir, top] = [join(control, unique), join(tasks, unique)];
    try {
      for (const folder of [controlDir, top]) {
        await removeTree(folder).catch(() => undefined);
        await mkdir(folder, { mode: 0o700 });
      }
      return { controlDir, top };
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
}

/**
 * Ends the processes and removes the folders of runs whose worker no longer exists, as after a crash or a power failure.
 * Skips those of running workers, which may share the folder.
 */
export async function cleanUp(
  { path, control, tasks }: WorkDir,
  engine: Pick<Engine, "cleanUp">,
  monitor: WorkerMonitor,
): Promise<void> {
  // Earlier versions had the folders of runs in the worker's folder itself.
  for (const parent of [tasks, control, path]) {
    for (const name of await readdir(parent)) {
      if (!/^task_[\w-]{22}_\d+(_\d+)?$/.test(name)) continue;
      const folder = join(parent, name);
      const state =
        (await readState(join(control, name))) ?? (parent === path ? await readState(folder) : undefined);
      if (state !== undefined) {
        if (isRunning({ pid: state.workerPid, began: state.workerBegan })) continue;
        await engine.cleanUp(state, [folder]);
      }
      monitor.info("removing the folder of a run whose worker is gone", { folder });
      await removeTree(folder).catch((error: unknown) => monitor.reportError(error, { folder }));
    }
  }
}

async function readState(folder: string) {
  try {
    const state: unknown = JSON.parse(await readOwnFile(join(folder, stateFile)));
    return runState.Check(state) ? state : undefined;
  } catch {
    return undefined;
  }
}
