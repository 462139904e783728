// Parses the options of `taskyard run`.
import type { Priority } from "../../api/queue/task.ts";
import { parseDuration } from "../../lib/duration.ts";
import { messageOf, UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { nameFault, pathFault } from "../../worker/plugins/artifacts/payload.ts";
import { artifactName } from "./definition.ts";
import { parsePriority } from "../parse-priority.ts";

/** Parses `NAME=VALUE`, or `NAME` for the variable's value in `env`. */
export function parseVariables(options: readonly string[], env: Io["env"]): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const option of options) {
    const at = option.indexOf("=");
    const name = at < 0 ? option : option.slice(0, at);
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new UsageError(`--env ${option}: must be NAME=VALUE or NAME`);
    const value = at < 0 ? env[name] : option.slice(at + 1);
    if (value === undefined)
      throw new UsageError(`--env ${name}: not set in this environment; use ${name}=VALUE`);
    variables[name] = value;
  }
  return variables;
}

/** Parses a duration such as `600` or `10m` to seconds. */
export function parseSeconds(option: string): number {
  try {
    const seconds = /^\d+$/.test(option) ? Number(option) : Math.ceil(parseDuration(option) / 1000);
    if (seconds > 0) return seconds;
  } catch (error) {
    // oxlint-disable-next-line messages/next-step -- parseDuration states what would be right
    throw new UsageError(`--max-run-time ${option} ${messageOf(error)}`, { cause: error });
  }
  throw new UsageError(`--max-run-time ${option} is too short: the minimum is 1s`);
}

export const parsePriorityOption = (option: string | undefined): Priority | undefined =>
  option === undefined ? undefined : parsePriority(option, `--priority ${option}`);

/** Checks that artifact paths stay inside the task's folder. */
export function parsePaths(options: readonly string[]): readonly string[] {
  for (const path of options) {
    // The worker would refuse the task.
    const fault = nameFault(artifactName(path));
    if (fault !== undefined)
      throw new UsageError(
        `--artifact ${path}: its name ${fault}; rename the file, or put it into an archive`,
      );
    const wrongPath = pathFault({ type: "directory", path });
    // oxlint-disable-next-line messages/next-step -- pathFault names it
    if (wrongPath !== undefined) throw new UsageError(`--artifact ${path}: the path ${wrongPath}`);
    if (path.split("/").includes("..") || path.replaceAll(/[./]/g, "") === "") {
      throw new UsageError(
        `--artifact ${path}: must be a file, or a folder with a trailing /, inside the task's folder`,
      );
    }
  }
  return options;
}
