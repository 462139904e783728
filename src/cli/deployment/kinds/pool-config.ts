// The config of a worker pool, apart from what a server adds to it when it stores it.
import { isDeepStrictEqual } from "node:util";
import { lifecycleFile } from "../../../api/worker-manager/provider-configs.ts";
import { isMembers, type Members } from "../../members.ts";

/**
 * Returns a config with what the server adds: ids of launch configs, and defaults of its `lifecycle`. They are taken from what
 * the server has, so that equal configs have equal members.
 */
export function completeConfig(config: Members, found: Members | undefined): Members {
  if (found === undefined) return config;
  const { launchConfigs, lifecycle } = config;
  return {
    ...config,
    ...(Array.isArray(launchConfigs) && {
      launchConfigs: withIds(launchConfigs, listIn(found, "launchConfigs")),
    }),
    ...(isMembers(lifecycle) && { lifecycle: withDefaults(lifecycle, found["lifecycle"]) }),
  };
}

/** Returns a config without the ids that the server generated. A changed launch config must not keep the id of the former. */
export function withoutGeneratedIds(config: Members): Members {
  const { launchConfigs } = config;
  if (!Array.isArray(launchConfigs)) return config;
  return {
    ...config,
    launchConfigs: launchConfigs.map((one: unknown) =>
      isMembers(one) && GENERATED.test(String(idOf(one))) ? withoutId(one) : one,
    ),
  };
}

/** A generated id is a hash of the launch config. */
const GENERATED = /^lc-[0-9a-f]{20}$/;

/**
 * Gives each launch config without an id that of an equal one on the server. Limits are not part of what an id names, so one
 * whose limits differ is next.
 */
function withIds(launchConfigs: readonly unknown[], found: readonly unknown[]): readonly unknown[] {
  const given = new Set(launchConfigs.filter(isMembers).map(idOf));
  const left = new Set(found.filter(isMembers).filter((one) => !given.has(idOf(one))));
  const completed = [...launchConfigs];
  for (const comparable of [withoutId, withoutLimits])
    for (const [i, one] of completed.entries()) {
      if (!isMembers(one) || idOf(one) !== undefined) continue;
      const match = [...left].find((other) => isDeepStrictEqual(comparable(other), comparable(one)));
      if (match === undefined) continue;
      left.delete(match);
      const { workerManager } = one;
      completed[i] = {
        ...one,
        workerManager: { ...(isMembers(workerManager) && workerManager), launchConfigId: idOf(match) },
      };
    }
  return completed;
}

const idOf = ({ workerManager }: Members): unknown =>
  isMembers(workerManager) ? workerManager["launchConfigId"] : undefined;

function withoutLimits(launchConfig: Members): Members {
  const { workerManager: _, ...rest } = launchConfig;
  return rest;
}

function withoutId({ workerManager, ...rest }: Members): Members {
  if (!isMembers(workerManager)) return rest;
  const { launchConfigId: _, ...limits } = workerManager;
  return Object.keys(limits).length === 0 ? rest : { ...rest, workerManager: limits };
}

/** Returns a lifecycle with the defaults that Taskcluster stores with it. */
function withDefaults(lifecycle: Members, found: unknown): Members {
  if (!isMembers(found)) return lifecycle;
  const defaults = Object.entries(lifecycleFile.schema.properties).filter(
    ([name, schema]) =>
      lifecycle[name] === undefined &&
      found[name] !== undefined &&
      isDeepStrictEqual(found[name], "default" in schema ? schema.default : undefined),
  );
  return { ...lifecycle, ...Object.fromEntries(defaults.map(([name]) => [name, found[name]])) };
}

function listIn(members: Members, name: string): readonly unknown[] {
  const list = members[name];
  return Array.isArray(list) ? list : [];
}
