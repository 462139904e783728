// The config that a worker pool has for its workers: which settings of the worker it changes.
import { CliError } from "../cli-error.ts";
import type { WorkerSettings } from "../../lib/worker-settings.ts";
import type { Flags } from "../configuration.ts";

/**
 * The settings that a pool may change: how tasks run. Those of the machine are not among them: a user who may change the pool
 * must not choose the user of tasks, or the folders and addresses of the machine.
 */
const ofPool = [
  "capacity",
  "stopGrace",
  "shutdownLimit",
  "maxTaskRunTime",
  "maxLogSize",
  "maxArtifactSize",
  "maxPutSize",
  "hookLimit",
  "cancelPollInterval",
] as const satisfies readonly (keyof WorkerSettings)[];

export interface PoolConfig {
  /** The settings, which override all others. */
  readonly flags: Flags;
  /** The members without effect. */
  readonly ignored: readonly string[];
}

/**
 * Reads `workerConfig`: the settings of `taskyard`, as in taskyard.yml, and of the config of generic-worker, which is in
 * `genericWorker.config` or at the top, the two that both workers have. Throws a `CliError` for other members of `taskyard`.
 */
export function readPoolConfig(workerConfig: Readonly<Record<string, unknown>>, pool: string): PoolConfig {
  const { taskyard = {}, genericWorker, ...flat } = workerConfig;
  const of = (path: string): string => `workerConfig.${path} of the pool ${pool}`;
  const flag = (name: (typeof ofPool)[number], value: unknown, path: string): Flags[number] => ({
    key: `worker.${name}`,
    value,
    flag: of(path),
  });

  const ownFlags = Object.entries(membersOf(taskyard, of("taskyard"))).map(([name, value]) => {
    const known = ofPool.find((one) => one === name);
    if (known !== undefined) return flag(known, value, `taskyard.${name}`);
    throw new CliError(
      `${of(`taskyard.${name}`)} is no setting that a pool may change: remove it from the pool. A pool may change ${ofPool.join(", ")}.`,
    );
  });

  const { config = {}, ...beside } = membersOf(genericWorker ?? { config: flat }, of("genericWorker"));
  const at = genericWorker === undefined ? "" : "genericWorker.config.";
  const { capacity, maxTaskRunTime, ...others } = membersOf(config, of("genericWorker.config"));
  // generic-worker counts seconds.
  const runTime = typeof maxTaskRunTime === "number" ? `${maxTaskRunTime}s` : maxTaskRunTime;
  return {
    flags: [
      ...(capacity === undefined ? [] : [flag("capacity", capacity, `${at}capacity`)]),
      ...(runTime === undefined ? [] : [flag("maxTaskRunTime", runTime, `${at}maxTaskRunTime`)]),
      ...ownFlags,
    ],
    ignored: [
      ...Object.keys(others).map((name) => `${at}${name}`),
      ...Object.keys(beside).map((name) => `genericWorker.${name}`),
      ...(genericWorker === undefined ? [] : Object.keys(flat)),
    ],
  };
}

function membersOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new CliError(`${what} must be an object: correct it with \`taskyard pool update\``);
}
