// The launch configs of a pool: their ids, and what a change of the pool does to them.
import { createHash } from "node:crypto";
import { stringify } from "safe-stable-stringify";
import type { SelfConfig, SelfLaunchConfig } from "../../../../api/worker-manager/provider-configs.ts";
import type { WorkerPool } from "../../../../api/worker-manager/pools.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Queryable } from "../../../core/db.ts";
import { jsonOf, parseJson } from "../../../core/json.ts";
import { SELF } from "../providers/providers.ts";
import {
  readLaunchConfigs,
  writeLaunchConfigs,
  type LaunchConfigChange,
  type LaunchConfigRow,
} from "./store/launch-configs.ts";

/** A launch config with its id. */
interface Identified extends SelfLaunchConfig {
  readonly workerManager: NonNullable<SelfLaunchConfig["workerManager"]> & {
    readonly launchConfigId: string;
  };
}

/** Returns what makes a launch config what it is, with its members in a fixed order. Its limits may change. */
const contentOf = ({ workerConfig }: SelfLaunchConfig): string => stringify({ workerConfig }) ?? "";

function withId(config: SelfLaunchConfig): Identified {
  const hash = createHash("sha256").update(contentOf(config)).digest("hex").slice(0, 20);
  return { ...config, workerManager: { launchConfigId: `lc-${hash}`, ...config.workerManager } };
}

/** Returns the config of a pool in which every launch config has an id. */
export function identifyLaunchConfigs(
  providerId: string,
  config: WorkerPool["config"],
): { readonly config: WorkerPool["config"]; readonly launchConfigs: readonly Identified[] } {
  // It was checked against the schema of its provider.
  const given = providerId === SELF ? (config as SelfConfig).launchConfigs : undefined;
  if (given === undefined) return { config, launchConfigs: [] };
  const launchConfigs = given.map(withId);
  const ids = launchConfigs.map(({ workerManager }) => workerManager.launchConfigId);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined)
    throw new ApiError(
      "RequestConflict",
      `config.launchConfigs has ${twice} twice. Remove one, or give it another workerManager.launchConfigId.`,
    );
  return { config: { ...config, launchConfigs }, launchConfigs };
}

/** Makes these the launch configs of a pool, which is locked. Those that are missing are archived. */
export async function replaceLaunchConfigs(
  tx: Queryable,
  pool: { readonly workerPoolId: string; readonly providerId: string; readonly at: string },
  launchConfigs: readonly Identified[],
): Promise<void> {
  const before = await readLaunchConfigs(tx, pool.workerPoolId);
  const changes = changesOf(before, launchConfigs);
  for (const kind of ["archived", "created", "updated"] as const) {
    const ofKind = changes.filter((change) => change.kind === kind);
    if (ofKind.length > 0) await writeLaunchConfigs(tx, pool, kind, ofKind);
  }
}

function changesOf(
  before: readonly LaunchConfigRow[],
  launchConfigs: readonly Identified[],
): LaunchConfigChange[] {
  const known = new Map(before.map((row) => [row.launch_config_id, row]));
  const kept = launchConfigs.flatMap((config): LaunchConfigChange[] => {
    const id = config.workerManager.launchConfigId;
    const row = known.get(id);
    known.delete(id);
    const configuration = jsonOf(config);
    if (row === undefined) return [{ kind: "created", id, configuration }];
    const stored = parseJson(row.configuration);
    if (contentOf(stored) !== contentOf(config))
      throw new ApiError(
        "RequestConflict",
        `The launch config ${id} exists with other content. Use another workerManager.launchConfigId, or none.`,
      );
    const isSame = !row.is_archived && stringify(stored) === stringify(config);
    return isSame ? [] : [{ kind: "updated", id, configuration }];
  });
  const archived = [...known.values()]
    .filter((row) => !row.is_archived)
    .map((row) => ({
      kind: "archived" as const,
      id: row.launch_config_id,
      configuration: row.configuration,
    }));
  return [...archived, ...kept];
}
