// The environment of a task's commands: the few variables of the worker that every program may need, those of the task, and
// fixed values. All others stay with the worker: any of them may hold a secret, and the log of a task has many readers.
import type { TaskContext } from "../../task-context.ts";
import type { TaskUser } from "./task-user.ts";

/** The variable that marks every process of a run. It identifies processes that have left their process group. */
export const runMarker = "TASKYARD_RUN";

const inherited = /^(LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|(HTTP|HTTPS|NO|ALL)_PROXY|(http|https|no|all)_proxy)$/;
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Returns the part of the worker's environment that tasks inherit. `more` are the names that the operator has added. */
export function inheritedEnvironment(
  own: NodeJS.ProcessEnv,
  more: readonly string[] = [],
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(own))
    if (value !== undefined && (inherited.test(name) || more.includes(name))) result[name] = value;
  return { ...result, PATH: ownPath(own["PATH"]) };
}

/** Returns PATH without the folders of the npm script that started the worker: its programs are not the task's. */
function ownPath(path = ""): string {
  const folders = path
    .split(":")
    .filter((folder) => !/\/(node_modules\/\.bin|node-gyp-bin)\/?$/.test(folder));
  return folders.join(":") || defaultPath;
}

/** Returns the variables that a task may change: its user, and its own folders for settings and temporary files. */
export function personalEnvironment(
  { homeDir, tempDir }: TaskContext,
  user: TaskUser,
): Record<string, string> {
  return { HOME: homeDir, TMPDIR: tempDir, USER: user.name, LOGNAME: user.name, SHELL: user.shell };
}

/** Returns the variables that the worker sets and a task cannot change. */
export function fixedEnvironment({ info, taskDir }: TaskContext): Record<string, string> {
  return {
    TASK_ID: info.taskId,
    RUN_ID: String(info.runId),
    TASK_WORKDIR: taskDir,
    PWD: taskDir,
    TASK_GROUP_ID: info.definition.taskGroupId,
    TASKCLUSTER_ROOT_URL: info.rootUrl,
    [runMarker]: runMark(info.taskId, info.runId),
  };
}

/** Returns the value of the marker variable for one run. */
export function runMark(taskId: string, runId: number): string {
  return `${taskId}/${runId}`;
}
