// The environment of a task's commands: the worker's own, without secrets, the variables of the task, and fixed values.
import type { TaskInfo } from "../../task-context.ts";

/** The variable that marks every process of a run. It identifies processes that have left their process group. */
export const runMarker = "TASKYARD_RUN";

// A task runs as the worker's user and could read the worker's files. But its output goes to a log that others read, and
// many tasks print their environment. So every variable that can hold a secret of the worker or server is removed:
// credentials, and URLs of databases and brokers, which contain passwords.
const secrets = [
  /^TASKYARD_/,
  /^TASKCLUSTER_/,
  /^(DATABASE|AMQP|REDIS)_URL$/,
  /^PG(PASSWORD|PASSFILE|SERVICEFILE)$/,
  /^S3_/,
  /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$/,
  /^SENTRY_DSN$/,
];

/** Returns the part of the worker's environment that tasks inherit. */
export function inheritedEnvironment(own: NodeJS.ProcessEnv): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !secrets.some((secret) => secret.test(name))) inherited[name] = value;
  }
  return inherited;
}

/** Returns the variables that the worker sets and a task cannot change. */
export function fixedEnvironment(info: TaskInfo, taskDir: string): Record<string, string> {
  return {
    TASK_ID: info.taskId,
    RUN_ID: String(info.runId),
    TASK_WORKDIR: taskDir,
    // Overrides the inherited value, which is the worker's folder.
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
