// The worker's folder. The folders of tasks and those of the worker are apart in it, so that a task does not find the log and
// the state of its run beside its own files:
//
//   control/task_<taskId>_<runId>/              the worker's: log, state, compressed copies
//   tasks/task_<taskId>_<runId>/{work,home,tmp} the task's
import { execFile } from "node:child_process";
import { access, chmod, constants, mkdir, mkdtemp, readlink, rmdir, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { systemFault } from "./system-fault.ts";

/** A user to create folders for, other than the worker's own. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface WorkDir {
  readonly path: string;
  readonly control: string;
  readonly tasks: string;
  /** The user that owns the folders of tasks, or undefined for the worker's own. */
  readonly owner: Owner | undefined;
}

const run = promisify(execFile);
// Where tasks run if their user cannot enter the worker's folder, which is in the private home of root by default.
const accessibleFolder = "/var/lib/taskyard";

/** Creates the folder. Rejects if the worker cannot use it, or if `owner` cannot enter it. */
export async function openWorkDir(
  path: string,
  owner: Owner | undefined,
  elsewhere = accessibleFolder,
): Promise<WorkDir> {
  const folder = resolve(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
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
  } catch (error) {
    throw new Error(`the worker cannot use its folder ${folder}: ${systemFault(error)}`, { cause: error });
  }
}

async function folderWith(path: string, mode: number): Promise<string> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
  return path;
}

/** Returns the folder, or one elsewhere that the folder is then a link to: a later start uses the same. */
async function enterableFolder(path: string, owner: Owner, elsewhere: string): Promise<string> {
  const target = await readlink(path).catch(() => undefined);
  if (target !== undefined) return folderWith(target, 0o711);
  await folderWith(path, 0o711);
  if (await canEnter(owner, path)) return path;
  await rmdir(path);
  await folderWith(elsewhere, 0o755);
  const created = await mkdtemp(join(elsewhere, "tasks-"));
  await symlink(created, path);
  return folderWith(created, 0o711);
}

/** Reports whether a user can enter a folder. Tries it, which covers parent folders and access lists. */
async function canEnter({ uid, gid }: Owner, folder: string): Promise<boolean> {
  return run("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { uid, gid, cwd: "/", env: {} }).then(
    () => true,
    () => false,
  );
}
