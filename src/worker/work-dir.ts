// The worker's folder. The folders of tasks and those of the worker are apart in it, so that a task does not find the log and
// the state of its run beside its own files:
//
//   control/task_<taskId>_<runId>/              the worker's: log, state, compressed copies
//   tasks/task_<taskId>_<runId>/{work,home,tmp} the task's
import { access, chmod, constants, readlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { accessibleFolder, linkElsewhere } from "../lib/accessible-folder.ts";
import { canEnter, type UserIds } from "../lib/system-users.ts";
import { usingFolder } from "../lib/using-folder.ts";
import { makeFolder } from "../lib/make-folder.ts";

export interface WorkDir {
  readonly path: string;
  readonly control: string;
  readonly tasks: string;
  /** The user that owns the folders of tasks, or undefined for the worker's own. */
  readonly owner: UserIds | undefined;
}

/** Creates the folder. Rejects if the worker cannot use it, or if `owner` cannot enter it. */
export async function openWorkDir(
  path: string,
  owner: UserIds | undefined,
  elsewhere = accessibleFolder,
): Promise<WorkDir> {
  const folder = resolve(path);
  return usingWorkDir(folder, async () => {
    await makeFolder(folder, 0o700);
    await access(folder, constants.W_OK);
    const control = await folderWith(join(folder, "control"), 0o700);
    if (owner === undefined)
      return { path: folder, control, tasks: await folderWith(join(folder, "tasks"), 0o700), owner };
    // Others may enter, but not list.
    await chmod(folder, 0o711);
    return {
      path: folder,
      control,
      tasks: await enterableFolder(join(folder, "tasks"), owner, elsewhere),
      owner,
    };
  });
}

/** Runs `work` in the folder of the worker. If it cannot be used, the error says what to do. */
export const usingWorkDir = <R>(path: string, work: () => Promise<R>): Promise<R> =>
  usingFolder(
    { path, what: "The worker's folder", choice: "set worker.workDir (--work-dir) to another one" },
    work,
  );

async function folderWith(path: string, mode: number): Promise<string> {
  await makeFolder(path);
  await chmod(path, mode);
  return path;
}

/** Returns the folder, or one elsewhere that the folder is then a link to: a later start uses the same. */
async function enterableFolder(path: string, owner: UserIds, elsewhere: string): Promise<string> {
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined) {
    await folderWith(path, 0o711);
    if (await canEnter(owner, path)) return path;
  }
  const folder =
    target === undefined
      ? await linkElsewhere(path, { parent: elsewhere, prefix: "tasks-", mode: 0o711 })
      : await folderWith(target, 0o711);
  if (await canEnter(owner, folder)) return folder;
  throw new Error(
    `the user of tasks (uid ${owner.uid}) cannot enter ${folder}. Make that folder and its parents accessible (chmod a+x), ` +
      "or choose another worker.workDir.",
  );
}
